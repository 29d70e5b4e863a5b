"""RTE-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay, pod_network
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Severity, check
from kubectl_netdoctor.checks.many_peers import together
from kubectl_netdoctor.checks.packet import IpNetwork
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Route, Routes


@check(
    "RTE-01",
    Severity.CRITICAL,
    since="0.1",
    explains=("ENC-01", "DNS-05", "API-01", "SVC-02", "RTE-13", "DNS-21", "API-09"),
)
def pod_route_missing(routes: Routes, node: NodeInfo, nodes: Nodes) -> Iterator[Finding]:
    """The route to another node's pods is missing.

    Meaning: the node has no route of its own for the podCIDR of a peer, so its packets for these
      pods leave by the default route or are refused.
    Impact: pods of this node cannot reach pods of that peer; answers may be lost the other way too.
    Diagnosis: only CNI plugins that route by podCIDR are judged (flannel, host-gw, or a node that
      has such routes for its other peers); others keep their own allocation.
    Mitigation: restart the CNI's agent on the node; until then, add the route by hand.
    Source: flannel, backends; ip-route(8).
    """
    expected = list(_expected(node, nodes))
    ways = [(peer, cidr, pod_network.route_to(routes, cidr)) for peer, cidr in expected]
    have = {peer.name for peer, _, way in ways if _is_own(way)}
    flannel = overlay.flannel_backend(node) in ("vxlan", "host-gw")
    if not flannel and not have:
        return  # not a CNI that routes by podCIDR
    lost = [way for way in ways if not _is_own(way[2])]
    number = f"{len(have)} of {len(expected)} peers have their route"
    found = (_finding(node, peer, cidr, actual, number) for peer, cidr, actual in lost)
    yield from together(found, "The routes to the pods of {} peers are missing")


def _finding(
    node: NodeInfo, peer: NodeInfo, cidr: IpNetwork, actual: Route | None, number: str
) -> Finding:
    return Finding(
        title=f"The route to the pods of {peer.name} ({cidr}) is missing",
        evidence=(
            Evidence(f"no route for {cidr}; packets go {_way(actual)}"),
            Evidence(number),
        ),
        scope=f"{node.name} to the pods of {peer.name}",
        paths=((node.name, peer.name),),
        fix=Fix(
            "Restart the CNI's agent on this node; it writes the route again. By hand:",
            tuple(_commands(node, peer, cidr)),
            verify=f"ip route get {next(cidr.hosts())}",
            rollback=f"ip route del {cidr}",
        ),
    )


def _expected(node: NodeInfo, nodes: Nodes) -> Iterator[tuple[NodeInfo, IpNetwork]]:
    """Peers whose pods must be reachable: Ready ones that the CNI has set up."""
    for peer in nodes.items:
        joined = overlay.flannel_backend(peer) or not overlay.flannel_backend(node)
        if peer.name == node.name or not peer.ready or not joined:
            continue
        for cidr in pod_network.pod_cidrs(peer):
            yield peer, cidr


def _is_own(found: Route | None) -> bool:
    """Whether a route other than the default one was found, and forwards."""
    return found is not None and found.kind == "unicast" and not found.destination.endswith("/0")


def _way(route: Route | None) -> str:
    if route is None:
        return "nowhere: there is no default route either"
    if route.kind != "unicast":
        return f"into a {route.kind} route"
    return f"by {route.destination} via {route.gateway or 'link'} dev {route.interface}"


def _commands(node: NodeInfo, peer: NodeInfo, cidr: IpNetwork) -> Iterator[str]:
    here, there = overlay.flannel_vxlan(node), overlay.flannel_vxlan(peer)
    if here and there:
        yield f"ip route add {cidr} via {there.address} dev {here.device} onlink"
    elif overlay.flannel_backend(node) == "host-gw" and peer.internal_ips:
        yield f"ip route add {cidr} via {peer.internal_ips[0]}"
