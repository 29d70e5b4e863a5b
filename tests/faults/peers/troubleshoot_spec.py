"""The specs for troubleshoot: in its favour, all that it can see of a network."""

from __future__ import annotations

from typing import Any

from tests.lab.build import NODE_IMAGE

Json = dict[str, Any]
Check = tuple[list[Json], list[Json]]  # collectors, and what they are analysed for

# Two networks that exist nowhere; the tool puts a namespace into each for a moment.
HERE, THERE = "10.231.1.0/24", "10.231.2.0/24"
FORWARDING = "net.ipv4.ip_forward"
ON_EVERY_NODE = ("kube-flannel-ds", "kube-proxy")
LOOKUP = "getent hosts kubernetes.default.svc.cluster.local && echo answered"


def of_cluster(nodes: int) -> Json:
    """What the API tells: pods, the Deployment of cluster DNS, the DaemonSets of the network."""
    dns = {
        "name": "coredns",
        "namespace": "kube-system",
        "outcomes": [
            outcome("fail", "< 1", "coredns has no ready replica"),
            outcome("pass", "", "coredns is ready"),
        ],
    }
    return spec(
        collectors=[{"clusterInfo": {}}, {"clusterResources": {}}],
        analyzers=[
            {"clusterPodStatuses": {"outcomes": [{"fail": {"when": "!= Healthy"}}]}},
            {"deploymentStatus": dns},
            *(_daemon_set(name, nodes) for name in ON_EVERY_NODE),
        ],
    )


def of_node(node: str, targets: dict[str, str], pod: str) -> Json:
    """What a node tells: its kernel, its namespaces, its connections, and a pod that asks DNS."""
    asked, answer = lookup(node, pod)
    checks = [forwarding(), namespaces(), *(connection(*target) for target in targets.items())]
    return spec(
        collectors=asked,
        analyzers=answer,
        hostCollectors=[part for collectors, _ in checks for part in collectors],
        hostAnalyzers=[part for _, analyzers in checks for part in analyzers],
    )


def lookup(node: str, pod: str) -> Check:
    """A pod on this node looks up a name of the cluster."""
    container = {
        "name": "lookup",
        "image": NODE_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", LOOKUP],
    }
    on_node = {"nodeName": node, "containers": [container], "restartPolicy": "Never"}
    run_pod = {"name": pod, "namespace": "default", "timeout": "30s", "podSpec": on_node}
    analyze = {
        "checkName": "DNS lookup from a pod",
        "fileName": f"{pod}/{pod}.log",
        "regex": "answered",
        "outcomes": [
            outcome("pass", "true", "answered"),
            outcome("fail", "false", "a pod cannot resolve kubernetes.default"),
        ],
    }
    return [{"runPod": run_pod}], [{"textAnalyze": analyze}]


def forwarding() -> Check:
    """The one kernel parameter that every pod network needs."""
    outcomes = [
        outcome("fail", f"{FORWARDING} == 0", f"{FORWARDING} is 0"),
        outcome("pass", f"{FORWARDING} == 1", f"{FORWARDING} is 1"),
    ]
    return [{"sysctl": {}}], [{"sysctl": {"outcomes": outcomes}}]


def namespaces() -> Check:
    """The way from one namespace of the node to another."""
    collect = {"collectorName": "namespaces", "fromCIDR": HERE, "toCIDR": THERE, "timeout": "3s"}
    failed = "No way from one namespace to another: {{ .ErrorMessage }}"
    outcomes = [outcome("pass", "", "reached"), outcome("fail", "", failed)]
    analyze = {"collectorName": "namespaces", "outcomes": outcomes}
    kind = "networkNamespaceConnectivity"
    return [{kind: collect}], [{kind: analyze}]


def connection(name: str, address: str) -> Check:
    """A TCP connection from the node."""
    outcomes = [
        outcome("fail", when, f"connection to {address}: {when}")
        for when in ("connection-refused", "connection-timeout", "error")
    ]
    outcomes.append(outcome("pass", "connected", "connected"))
    collect = {"collectorName": name, "address": address, "timeout": "3s"}
    analyze = {"checkName": name, "collectorName": name, "outcomes": outcomes}
    return [{"tcpConnect": collect}], [{"tcpConnect": analyze}]


def _daemon_set(name: str, nodes: int) -> Json:
    compare = {
        "checkName": name,
        "fileName": "cluster-resources/daemonsets/kube-system.json",
        "jsonPath": f'{{$.items[?(@.metadata.name=="{name}")].status.numberReady}}',
        "value": str(nodes),
        "outcomes": [
            outcome("pass", "true", "ready on every node"),
            outcome("fail", "false", f"{name} is not ready on all {nodes} nodes"),
        ],
    }
    return {"jsonCompare": compare}


def outcome(kind: str, when: str, message: str) -> Json:
    """What is said when an analyzer finds this."""
    return {kind: {"when": when, "message": message}}


def spec(**parts: list[Json]) -> Json:
    """A whole spec of these parts."""
    head = {"apiVersion": "troubleshoot.sh/v1beta2", "kind": "SupportBundle"}
    return {**head, "metadata": {"name": "network"}, "spec": parts}
