"""From API JSON to facts: real objects give the right facts."""

from __future__ import annotations

from typing import Any

from kubectl_netdoctor.cluster import reduce
from kubectl_netdoctor.facts.cluster import (
    Condition,
    ConfigMapInfo,
    EndpointInfo,
    EndpointSliceInfo,
    NodeInfo,
    PodInfo,
    ServiceInfo,
    ServicePort,
    WorkloadInfo,
)


def test_node() -> None:
    """Only what is listed leaves the cluster."""
    node = {
        "metadata": {
            "name": "n1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {
                "topology.kubernetes.io/zone": "a",
                "node-role.kubernetes.io/control-plane": "",
                "kubernetes.io/os": "linux",
                "team": "secret-project",
            },
            "annotations": {
                "flannel.alpha.coreos.com/public-ip": "10.0.0.1",
                "csi.volume.kubernetes.io/nodeid": "{}",
            },
        },
        "spec": {
            "podCIDR": "10.1.0.0/24",
            "unschedulable": True,
            "taints": [
                {"key": "a", "value": "b", "effect": "NoSchedule"},
                {"key": "c", "effect": "NoExecute"},
            ],
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": "10.0.0.1"},
                {"type": "Hostname", "address": "n1"},
                {"type": "InternalIP", "address": "fd00::1"},
            ],
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "ok",
                    "lastTransitionTime": "2026-01-02T00:00:00Z",
                    "lastHeartbeatTime": "2026-01-03T00:00:00Z",
                }
            ],
            "nodeInfo": {
                "kubeletVersion": "v1.34.4",
                "kernelVersion": "6.1",
                "osImage": "Debian",
                "containerRuntimeVersion": "containerd://1.6",
                "machineID": "hidden",
            },
        },
    }
    assert reduce.reduce_node(node) == NodeInfo(
        name="n1",
        created="2026-01-01T00:00:00Z",
        internal_ips=("10.0.0.1", "fd00::1"),
        pod_cidrs=("10.1.0.0/24",),
        annotations={"flannel.alpha.coreos.com/public-ip": "10.0.0.1"},
        labels={
            "topology.kubernetes.io/zone": "a",
            "node-role.kubernetes.io/control-plane": "",
            "kubernetes.io/os": "linux",
        },
        unschedulable=True,
        taints=("a=b:NoSchedule", "c:NoExecute"),
        conditions=(Condition("Ready", "True", "KubeletReady", "ok", "2026-01-02T00:00:00Z"),),
        kubelet_version="v1.34.4",
        kernel_version="6.1",
        os_image="Debian",
        container_runtime="containerd://1.6",
        lease_renewed=None,
    )


def test_pod() -> None:
    """Waiting reasons of all containers, restarts summed, the controller as owner."""
    waits = {"waiting": {"reason": "CrashLoopBackOff"}}
    pod = {
        "metadata": {
            "namespace": "kube-system",
            "name": "coredns-1",
            "labels": {"k8s-app": "kube-dns", "pod-template-hash": "1"},
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [
                {"kind": "X", "name": "x"},
                {"kind": "ReplicaSet", "name": "coredns", "controller": True},
            ],
        },
        "spec": {
            "nodeName": "n1",
            "containers": [
                {"image": "coredns:1", "env": [{"name": "PASSWORD", "value": "secret"}]}
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.1.0.2",
            "containerStatuses": [{"restartCount": 2, "state": waits}, {"restartCount": 1}],
        },
    }
    assert reduce.reduce_pod(pod) == PodInfo(
        namespace="kube-system",
        name="coredns-1",
        node="n1",
        phase="Running",
        ready=False,
        host_network=False,
        pod_ips=("10.1.0.2",),
        labels={"k8s-app": "kube-dns"},
        owner="ReplicaSet/coredns",
        created="",
        deleting=True,
        restarts=3,
        waiting=("CrashLoopBackOff",),
        images=("coredns:1",),
    )


def test_service() -> None:
    """Defaults are the API's; a named target port stays a name."""
    service = {
        "metadata": {"namespace": "a", "name": "b", "labels": {"k8s-app": "x", "y": "z"}},
        "spec": {
            "clusterIP": "None",
            "selector": {"app": "b"},
            "ports": [
                {"port": 80},
                {
                    "name": "dns",
                    "port": 53,
                    "protocol": "UDP",
                    "targetPort": "dns",
                    "nodePort": 30053,
                },
            ],
        },
    }
    assert reduce.reduce_service(service) == ServiceInfo(
        namespace="a",
        name="b",
        type="ClusterIP",
        cluster_ips=("None",),
        selector={"app": "b"},
        labels={"k8s-app": "x"},
        ports=(
            ServicePort("", "TCP", 80, "80", None),
            ServicePort("dns", "UDP", 53, "dns", 30053),
        ),
        session_affinity="None",
        internal_traffic_policy="Cluster",
        external_traffic_policy=None,
    )


def test_endpoint_slice() -> None:
    """A condition that the API leaves out is None, not False."""
    obj = {
        "metadata": {
            "namespace": "a",
            "name": "b-x",
            "labels": {"kubernetes.io/service-name": "b"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "all", "port": None}],
        "endpoints": [
            {
                "addresses": ["10.1.0.2"],
                "conditions": {"ready": False, "terminating": True},
                "nodeName": "n1",
                "targetRef": {"kind": "Pod", "name": "p"},
            }
        ],
    }
    assert reduce.reduce_endpoint_slice(obj) == EndpointSliceInfo(
        "a",
        "b-x",
        "b",
        "IPv4",
        {"dns": "UDP/53"},
        (EndpointInfo(("10.1.0.2",), False, None, True, "n1", "p"),),
    )


def test_workloads() -> None:
    """A Deployment without `replicas` wants one; a DaemonSet wants what the API counted."""
    template = {"spec": {"containers": [{"image": "i"}]}}
    obj: dict[str, Any] = {
        "metadata": {"namespace": "a", "name": "b", "generation": 2},
        "spec": {"template": template},
        "status": {"observedGeneration": 1, "numberReady": 3, "desiredNumberScheduled": 4},
    }
    assert reduce.reduce_daemon_set(obj) == WorkloadInfo(
        "DaemonSet", "a", "b", {}, ("i",), 4, 3, 0, 2, 1
    )
    assert reduce.reduce_deployment(obj) == WorkloadInfo(
        "Deployment", "a", "b", {}, ("i",), 1, 0, 0, 2, 1
    )
    obj["spec"]["replicas"] = 0
    assert reduce.reduce_deployment(obj).desired == 0


def test_config_maps_are_taken_by_key() -> None:
    """kube-proxy's kubeconfig stays where it is, and so does a ConfigMap that is not listed."""
    obj = {
        "metadata": {"namespace": "kube-system", "name": "kube-proxy"},
        "data": {"config.conf": "mode: nftables", "kubeconfig.conf": "token: secret"},
    }
    assert reduce.reduce_config_map(obj) == ConfigMapInfo(
        "kube-system", "kube-proxy", {"config.conf": "mode: nftables"}
    )
    assert reduce.reduce_config_map({"data": {"a": "b"}}).data == {}


def test_of_cluster_dns_the_corefile_is_taken() -> None:
    """What else somebody keeps beside it is theirs."""
    obj = {
        "metadata": {"namespace": "kube-system", "name": "coredns"},
        "data": {"Corefile": ". {\n}", "azure.json": "{}"},
    }
    assert reduce.reduce_config_map(obj).data == {"Corefile": ". {\n}"}
