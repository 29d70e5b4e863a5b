"""From the JSON of one API object to its fact; whatever is absent, null or odd is left out."""

from __future__ import annotations

import json
from typing import Any

from kubectl_netdoctor.cluster import allowed, fields
from kubectl_netdoctor.facts.cluster import (
    Condition,
    ConfigMapInfo,
    EndpointInfo,
    EndpointSliceInfo,
    NetworkPolicyInfo,
    NodeInfo,
    PodInfo,
    ServerVersion,
    ServiceInfo,
    ServicePort,
    WorkloadInfo,
)

Json = dict[str, Any]


def reduce_version(obj: Json) -> ServerVersion:
    """/version."""
    return ServerVersion(fields.text(obj, "gitVersion"), fields.text(obj, "platform"))


def reduce_node(obj: Json) -> NodeInfo:
    """A Node; its Lease is read apart."""
    pod_cidrs = fields.texts(obj, "spec", "podCIDRs")
    return NodeInfo(
        name=fields.text(obj, "metadata", "name"),
        created=fields.text(obj, "metadata", "creationTimestamp"),
        internal_ips=tuple(
            fields.text(a, "address")
            for a in fields.objects(obj, "status", "addresses")
            if fields.text(a, "type") == "InternalIP" and fields.text(a, "address")
        ),
        pod_cidrs=pod_cidrs or _one(fields.text(obj, "spec", "podCIDR")),
        annotations=allowed.only(
            fields.text_map(obj, "metadata", "annotations"), allowed.NODE_ANNOTATIONS
        ),
        labels=allowed.only(fields.text_map(obj, "metadata", "labels"), allowed.NODE_LABELS),
        unschedulable=fields.flag(obj, "spec", "unschedulable"),
        taints=tuple(map(_taint, fields.objects(obj, "spec", "taints"))),
        conditions=tuple(map(_condition, fields.objects(obj, "status", "conditions"))),
        kubelet_version=fields.text(obj, "status", "nodeInfo", "kubeletVersion"),
        kernel_version=fields.text(obj, "status", "nodeInfo", "kernelVersion"),
        os_image=fields.text(obj, "status", "nodeInfo", "osImage"),
        container_runtime=fields.text(obj, "status", "nodeInfo", "containerRuntimeVersion"),
        lease_renewed=None,
    )


def _one(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _taint(obj: Json) -> str:
    key, value, effect = (fields.text(obj, k) for k in ("key", "value", "effect"))
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


def _condition(obj: Json) -> Condition:
    return Condition(
        type=fields.text(obj, "type"),
        status=fields.text(obj, "status"),
        reason=fields.text(obj, "reason"),
        message=fields.text(obj, "message"),
        since=fields.text(obj, "lastTransitionTime"),
    )


def reduce_pod(obj: Json) -> PodInfo:
    """A Pod."""
    statuses = fields.objects(obj, "status", "containerStatuses")
    initial = fields.objects(obj, "status", "initContainerStatuses")
    ips = tuple(fields.text(i, "ip") for i in fields.objects(obj, "status", "podIPs"))
    return PodInfo(
        namespace=fields.text(obj, "metadata", "namespace"),
        name=fields.text(obj, "metadata", "name"),
        node=fields.some_text(obj, "spec", "nodeName"),
        phase=fields.text(obj, "status", "phase"),
        ready=any(
            fields.text(c, "type") == "Ready" and fields.text(c, "status") == "True"
            for c in fields.objects(obj, "status", "conditions")
        ),
        host_network=fields.flag(obj, "spec", "hostNetwork"),
        pod_ips=tuple(filter(None, ips)) or _one(fields.text(obj, "status", "podIP")),
        labels=allowed.only(fields.text_map(obj, "metadata", "labels"), allowed.POD_LABELS),
        owner=_owner(obj),
        created=fields.text(obj, "metadata", "creationTimestamp"),
        deleting=fields.some_text(obj, "metadata", "deletionTimestamp") is not None,
        restarts=sum(fields.number(s, "restartCount") for s in [*statuses, *initial]),
        waiting=tuple(
            reason
            for s in [*initial, *statuses]
            if (reason := fields.text(s, "state", "waiting", "reason"))
        ),
        images=_images(obj, "spec"),
    )


def _owner(obj: Json) -> str | None:
    for owner in fields.objects(obj, "metadata", "ownerReferences"):
        if fields.flag(owner, "controller"):
            return f"{fields.text(owner, 'kind')}/{fields.text(owner, 'name')}"
    return None


def _images(obj: Json, *path: str) -> tuple[str, ...]:
    return tuple(fields.text(c, "image") for c in fields.objects(obj, *path, "containers"))


def reduce_service(obj: Json) -> ServiceInfo:
    """A Service; the address of a headless one is `None`, in the API's word."""
    ips = fields.texts(obj, "spec", "clusterIPs")
    return ServiceInfo(
        namespace=fields.text(obj, "metadata", "namespace"),
        name=fields.text(obj, "metadata", "name"),
        type=fields.text(obj, "spec", "type") or "ClusterIP",
        cluster_ips=ips or _one(fields.text(obj, "spec", "clusterIP")),
        selector=fields.text_map(obj, "spec", "selector"),
        labels=allowed.only(fields.text_map(obj, "metadata", "labels"), allowed.SERVICE_LABELS),
        ports=tuple(map(_port, fields.objects(obj, "spec", "ports"))),
        session_affinity=fields.text(obj, "spec", "sessionAffinity") or "None",
        internal_traffic_policy=fields.text(obj, "spec", "internalTrafficPolicy") or "Cluster",
        external_traffic_policy=fields.some_text(obj, "spec", "externalTrafficPolicy"),
    )


def _port(obj: Json) -> ServicePort:
    number = fields.number(obj, "port")
    target = fields.dig(obj, "targetPort")
    return ServicePort(
        name=fields.text(obj, "name"),
        protocol=fields.text(obj, "protocol") or "TCP",
        port=number,
        target_port=str(target) if isinstance(target, int | str) and target else str(number),
        node_port=fields.some_number(obj, "nodePort") or None,
    )


def reduce_endpoint_slice(obj: Json) -> EndpointSliceInfo:
    """An EndpointSlice."""
    return EndpointSliceInfo(
        namespace=fields.text(obj, "metadata", "namespace"),
        name=fields.text(obj, "metadata", "name"),
        service=fields.some_text(obj, "metadata", "labels", "kubernetes.io/service-name"),
        address_type=fields.text(obj, "addressType"),
        ports={
            fields.text(p, "name"): f"{fields.text(p, 'protocol') or 'TCP'}/{p['port']}"
            for p in fields.objects(obj, "ports")
            if fields.some_number(p, "port") is not None
        },
        endpoints=tuple(map(_endpoint, fields.objects(obj, "endpoints"))),
    )


def _endpoint(obj: Json) -> EndpointInfo:
    is_pod = fields.text(obj, "targetRef", "kind") == "Pod"
    return EndpointInfo(
        addresses=fields.texts(obj, "addresses"),
        ready=fields.some_flag(obj, "conditions", "ready"),
        serving=fields.some_flag(obj, "conditions", "serving"),
        terminating=fields.some_flag(obj, "conditions", "terminating"),
        node=fields.some_text(obj, "nodeName"),
        pod=fields.some_text(obj, "targetRef", "name") if is_pod else None,
    )


def reduce_daemon_set(obj: Json) -> WorkloadInfo:
    """A DaemonSet."""
    return _workload(
        obj,
        "DaemonSet",
        desired=fields.number(obj, "status", "desiredNumberScheduled"),
        ready=fields.number(obj, "status", "numberReady"),
        updated=fields.number(obj, "status", "updatedNumberScheduled"),
    )


def reduce_deployment(obj: Json) -> WorkloadInfo:
    """A Deployment; without `replicas` it wants one."""
    wanted = fields.some_number(obj, "spec", "replicas")
    return _workload(
        obj,
        "Deployment",
        desired=1 if wanted is None else wanted,
        ready=fields.number(obj, "status", "readyReplicas"),
        updated=fields.number(obj, "status", "updatedReplicas"),
    )


def _workload(obj: Json, kind: str, *, desired: int, ready: int, updated: int) -> WorkloadInfo:
    return WorkloadInfo(
        kind=kind,
        namespace=fields.text(obj, "metadata", "namespace"),
        name=fields.text(obj, "metadata", "name"),
        labels=allowed.only(fields.text_map(obj, "metadata", "labels"), allowed.POD_LABELS),
        images=_images(obj, "spec", "template", "spec"),
        desired=desired,
        ready=ready,
        updated=updated,
        generation=fields.number(obj, "metadata", "generation"),
        observed_generation=fields.number(obj, "status", "observedGeneration"),
    )


def reduce_config_map(obj: Json) -> ConfigMapInfo:
    """A ConfigMap: the keys that its entry in allowed.CONFIG_MAPS names, none without an entry."""
    namespace, name = (
        fields.text(obj, "metadata", "namespace"),
        fields.text(obj, "metadata", "name"),
    )
    keys = allowed.CONFIG_MAPS.get((namespace, name), ())
    data = fields.text_map(obj, "data")
    wanted = data if keys is None else {k: v for k, v in data.items() if k in keys}
    return ConfigMapInfo(namespace, name, wanted)


def reduce_network_policy(obj: Json) -> NetworkPolicyInfo:
    """A NetworkPolicy."""
    return NetworkPolicyInfo(
        namespace=fields.text(obj, "metadata", "namespace"),
        name=fields.text(obj, "metadata", "name"),
        spec=json.dumps(fields.dig(obj, "spec"), sort_keys=True),
    )
