"""Which nodes no agent can reach: decided from what the API knows, before a Pod is tried."""

from __future__ import annotations

import datetime as dt

from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes

_VIRTUAL_TAINTS = ("virtual-kubelet.io/provider", "eks.amazonaws.com/compute-type=fargate")


def unreachable(nodes: Nodes, now: dt.datetime) -> dict[str, str]:
    """Nodes where no agent can run, with the reason.

    A node that is NotReady while its kubelet still posts status is not among them: what runs
    there is why this tool exists.
    """
    found = {node.name: _why(node, now) for node in nodes.items}
    return {name: why for name, why in found.items() if why is not None}


def since(stamp: str | None, now: dt.datetime) -> float | None:
    """Seconds since a time that the API gave, None where it gave none."""
    try:
        then = dt.datetime.fromisoformat(stamp or "")
        return (now - then).total_seconds()
    except (ValueError, TypeError):
        return None


def _why(node: NodeInfo, now: dt.datetime) -> str | None:
    if (system := node.labels.get("kubernetes.io/os", "linux")) != "linux":
        return f"it runs {system}; the agent needs Linux"
    if node.labels.get("type") == "virtual-kubelet" or any(
        taint.startswith(_VIRTUAL_TAINTS) for taint in node.taints
    ):
        return "it is a virtual node: there is no host to look at"
    if node.labels.get("eks.amazonaws.com/compute-type") == "fargate":
        return "it is a Fargate node: there is no host to look at"
    ready = node.condition("Ready")
    if ready is None or ready.status != "Unknown":
        return None
    lease, silent = since(node.lease_renewed, now), since(ready.since, now)
    if lease is not None and silent is not None and lease < silent:
        return None  # the kubelet is back, its conditions are late
    return f"NotReady since {ready.since}: the kubelet stopped posting status"
