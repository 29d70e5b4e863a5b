"""CiliumNodes and the number of Cilium's own policies; absent where the cluster has no such kinds."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api import Api, Json
from kubectl_netdoctor.cluster.api_errors import ApiError
from kubectl_netdoctor.facts.cilium import Cilium, CiliumNodeInfo
from kubectl_netdoctor.facts.cluster import ConfigMaps, NodeInfo, Nodes

KINDS = "/apis/cilium.io/v2"
CONFIG = "cilium-config"
TUNNEL_END = "network.cilium.io/ipv4-cilium-host"
"""Annotation of a Node; releases that no longer write it have the address in the CiliumNode."""
POLICIES = ("ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies")


def read_cilium(api: Api) -> Cilium:
    """The fact. Raises ApiError, also where the API has no CiliumNodes."""
    nodes = tuple(map(reduce_cilium_node, api.list(f"{KINDS}/ciliumnodes")))
    return Cilium(nodes, _policies(api))


def _policies(api: Api) -> int | None:
    try:
        return sum(1 for kind in POLICIES for _ in api.list(f"{KINDS}/{kind}"))
    except ApiError:
        return None


def reduce_cilium_node(obj: Json) -> CiliumNodeInfo:
    """A CiliumNode."""
    return CiliumNodeInfo(
        name=fields.text(obj, "metadata", "name"),
        internal_ips=tuple(
            fields.text(a, "ip")
            for a in fields.objects(obj, "spec", "addresses")
            if fields.text(a, "type") == "CiliumInternalIP" and fields.text(a, "ip")
        ),
        pod_cidrs=fields.texts(obj, "spec", "ipam", "podCIDRs"),
    )


def with_cilium(nodes: Nodes, cilium: Cilium, maps: ConfigMaps) -> Nodes:
    """The Nodes with what only their CiliumNodes say: ranges of pods, and ends of the tunnel.

    No ends where Cilium routes natively: their addresses are reached by plain routes, like any other.
    """
    config = next((c.data for c in maps.items if c.name == CONFIG), None)
    tunnelled = config is not None and tunnels(config)
    own = {n.name: n for n in cilium.nodes}
    return Nodes(tuple(_merged(n, own.get(n.name), tunnelled) for n in nodes.items))


def _merged(machine: NodeInfo, own: CiliumNodeInfo | None, tunnelled: bool) -> NodeInfo:
    if own is None:
        return machine
    end = next(filter(_is_ipv4, own.internal_ips), None) if tunnelled else None
    known = {TUNNEL_END: end} if end else {}
    return dataclasses.replace(
        machine,
        # With an allocation of Cilium's own, spec.podCIDR may name a range that nobody uses.
        pod_cidrs=own.pod_cidrs or machine.pod_cidrs,
        annotations={**known, **machine.annotations},
    )


def tunnels(config: Mapping[str, str]) -> bool:
    """Whether packets between nodes are encapsulated; releases before 1.14 say it as `tunnel`."""
    mode = config.get("routing-mode") or config.get("tunnel") or "tunnel"
    return mode not in ("native", "disabled")


def _is_ipv4(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).version == 4
    except ValueError:
        return False
