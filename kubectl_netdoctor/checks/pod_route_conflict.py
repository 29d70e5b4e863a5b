"""RTE-02: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netdoctor.checks import datapath, overlay, pod_network
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.checks.packet import IpNetwork, network
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Addresses, Interfaces, Route, Routes

DROPPING = ("blackhole", "unreachable", "prohibit")
CALICO = ("bird", "80")  # protocols of its routes; it drops what its own block has not given out


@check(
    "RTE-02",
    Severity.HIGH,
    since="0.1",
    explains=(
        "RTE-01",
        "ENC-01",
        "ENC-05",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def pod_route_conflict(
    routes: Routes, node: NodeInfo, nodes: Nodes, addresses: Addresses, interfaces: Interfaces
) -> Iterator[Finding]:
    """A route drops packets for pods, or leads them to the wrong place.

    Meaning: a route for a node's podCIDR, or for a part of it, is a blackhole, leads to another
      place than the CNI's, or leads packets for this node's own pods away.
    Impact: packets for these pods vanish on this node, and so do its pods' answers to them.
    Diagnosis: only the route that the kernel would take counts, so a blackhole with a higher metric
      is no fault; nor is a wide one such as 10.0.0.0/8, nor Calico's for its own block. Judged
      where pods are routed by podCIDR. A route of flannel's for no present node is low.
    Mitigation: delete the route; find who adds it (an old node's, a VPN's, a second CNI's).
    Source: flannel-io/flannel#2554; projectcalico/calico#8953; ip-route(8).
    """
    bridge = pod_network.pod_bridge(node, addresses, interfaces)
    if bridge is None and datapath.carries(interfaces):
        raise Inconclusive("Cilium leads packets of pods by BPF maps that are not read")
    if overlay.flannel_backend(node) is None and bridge is None:
        return  # a CNI with an allocation of its own
    if routes.truncated:
        raise Inconclusive("the node has more routes than could be read")
    mine = {a.address for a in addresses.items}
    used = list(_used(routes))
    for peer in nodes.items:
        for cidr in pod_network.pod_cidrs(peer):
            for route in (r for r in used if _within(r, cidr)):
                own = peer.name == node.name
                if _dropping(route) or (
                    _away(route, mine, node) if own else _elsewhere(route, node, peer)
                ):
                    yield _finding(route, node, peer)
    yield from _stale(used, node, nodes)


def _used(routes: Routes) -> Iterator[Route]:
    """Of the main table's IPv4 routes with one destination, the one that the kernel takes."""
    seen: set[str] = set()
    for route in sorted(routes.items, key=lambda r: r.metric):  # stable: the first one listed wins
        main = route.table == pod_network.MAIN_TABLE and route.family == 4
        if main and route.destination not in seen:
            seen.add(route.destination)
            yield route


def _within(route: Route, cidr: IpNetwork) -> bool:
    where = network(route.destination)
    return where is not None and where.version == cidr.version and where.subnet_of(cidr)  # type: ignore[arg-type]


def _dropping(route: Route) -> bool:
    return route.kind in DROPPING and route.protocol not in CALICO


def _away(route: Route, mine: set[str], node: NodeInfo) -> bool:
    """Whether a route inside the node's own podCIDR leads to another node."""
    here = overlay.flannel_vxlan(node)
    by_gateway = route.gateway is not None and route.gateway not in mine
    by_tunnel = here is not None and route.interface == here.device
    return route.kind == "unicast" and (by_gateway or by_tunnel)


def _elsewhere(route: Route, node: NodeInfo, peer: NodeInfo) -> bool:
    """Whether a route inside a peer's podCIDR leads to another place than that peer."""
    here, there = overlay.flannel_vxlan(node), overlay.flannel_vxlan(peer)
    host_gw = overlay.flannel_backend(node) == overlay.flannel_backend(peer) == "host-gw"
    # flannel's DirectRouting goes straight to the peer where both are on one link.
    right = {*peer.internal_ips, peer.annotations.get(f"{overlay.FLANNEL}/public-ip")}
    if here and there:
        right.add(there.address)
    elif not host_gw:
        return False  # how this CNI routes is not known
    return route.kind == "unicast" and route.gateway not in right


def _way(route: Route) -> str:
    return f"via {route.gateway or 'link'} dev {route.interface}"


def _finding(route: Route, node: NodeInfo, peer: NodeInfo) -> Finding:
    own = peer.name == node.name
    forwards = route.kind == "unicast"
    whose = "its own pods" if own else f"the pods of {peer.name}"
    does = ("leads away" if own else "leads elsewhere") if forwards else f"is a {route.kind}"
    words = f"leads {_way(route)}" if forwards else does
    kind = "" if forwards else f"{route.kind} "
    metric = f" metric {route.metric}" if route.metric else ""
    what = f"{kind}{route.destination}{metric}"
    return Finding(
        title=f"A route for {whose} {does}",
        evidence=(
            Evidence(f"the route {route.destination} (protocol {route.protocol}) {words}"),
            Evidence(f"it is inside {', '.join(peer.pod_cidrs)}, the podCIDR of {peer.name}"),
        ),
        scope=f"on {node.name}" if own else f"{node.name} to the pods of {peer.name}",
        paths=() if own else ((node.name, peer.name),),
        fix=Fix(
            "Delete the route, and restart the CNI's agent if its own route is gone too.",
            (f"ip route del {what}",),
            verify=f"ip route show root {peer.pod_cidrs[0]}",
            rollback=f"ip route add {what}" + (f" {_way(route)}" if route.gateway else ""),
        ),
    )


def _stale(used: Iterable[Route], node: NodeInfo, nodes: Nodes) -> Iterator[Finding]:
    """Tunnel routes to pods of no present node: harmless until the range is given out again."""
    here = overlay.flannel_vxlan(node)
    known = [cidr for n in nodes.items for cidr in pod_network.pod_cidrs(n)]
    for route in used if here else ():
        where = network(route.destination)
        if where is None or route.interface != here.device or route.gateway is None:  # type: ignore[union-attr]
            continue
        if where.prefixlen == 0 or any(where.overlaps(cidr) for cidr in known):
            continue
        yield Finding(
            title="A route leads to the pods of a node that is gone",
            severity=Severity.LOW,
            evidence=(
                Evidence(f"{route.destination} {_way(route)} is the podCIDR of no present node"),
            ),
            fix=Fix("Delete the route.", (f"ip route del {route.destination}",)),
        )
