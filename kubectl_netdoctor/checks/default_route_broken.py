"""RTE-12: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns, pod_network
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.checks.packet import network
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import ConfigMaps, NodeInfo
from kubectl_netdoctor.facts.link import Neighbours, Route, Routes
from kubectl_netdoctor.facts.probe import DnsProbes, PathProbes
from kubectl_netdoctor.facts.resolver import Resolver

NO_ROUTE = "no-route"
COMMON = 2  # other nodes that all have a default route


@check(
    "RTE-12",
    Severity.HIGH,
    since="0.1",
    explains=("DNS-06", "DNS-07", "API-01", "SVC-02", "NF-08", "TGT-01"),
)
def default_route_broken(
    routes: Routes,
    node: NodeInfo,
    others: PerNode[Routes],
    neighbours: Neighbours | None,
    resolver: Resolver | None,
    maps: ConfigMaps | None,
    paths: PathProbes | None,
    queries: DnsProbes | None,
) -> Iterator[Finding]:
    """The default route is missing, or its gateway does not answer.

    Meaning: the node has no way out of its own subnets, though all other nodes do or something is
      probed that has no route; or the gateway of the way out answers no ARP.
    Impact: images, upstream DNS and everything outside is unreachable from this node; without any
      default route its own programs do not reach ClusterIPs either.
    Diagnosis: air-gapped clusters have no default route by design and stay silent while nothing
      points outside. A gateway is judged by its neighbour entry, never by ping, and only where a
      resolver or an upstream is behind it.
    Mitigation: restore the route in the network configuration (netplan, DHCP, ifcfg).
    Source: kube-vip/kube-vip#1385; systemd/systemd#41350; ip-route(8).
    """
    if not any("." in ip for ip in node.internal_ips):
        return
    ways = [r for r in routes.items if _is_default(r)]
    if not ways:
        yield from _missing(node, others, paths, queries)
        return
    main = [r for r in ways if r.table == pod_network.MAIN_TABLE]
    best = min(main, key=lambda r: r.metric, default=None)
    if best is None or best.gateway is None or neighbours is None:
        return
    same = [r for r in main if r.metric == best.metric]
    dead = all(_failed(r, neighbours) for r in same)
    behind = [a for a in _outside(resolver, maps) if _by(routes, a) in same]
    if dead and behind:
        yield _gateway(best, behind)


def _is_default(route: Route) -> bool:
    return route.destination == "0.0.0.0/0" and route.kind == "unicast"


def _missing(
    node: NodeInfo,
    others: PerNode[Routes],
    paths: PathProbes | None,
    queries: DnsProbes | None,
) -> Iterator[Finding]:
    stuck = {
        p.address
        for p in (paths.items if paths else ())
        if p.role in ("api-server", "api-service") and p.sent and p.errors.get(NO_ROUTE) == p.sent
    } | {
        q.server
        for q in (queries.items if queries else ())
        if q.role != "endpoint" and q.sent and q.errors.get(NO_ROUTE) == q.sent
    }
    rest = [fact for name, fact in others.items() if name != node.name]
    have = [fact for fact in rest if any(_is_default(r) for r in fact.items)]
    usual = len(rest) >= COMMON and len(have) == len(rest)
    if not stuck and not usual:
        return
    gateways = sorted({r.gateway for f in have for r in f.items if _is_default(r) and r.gateway})
    yield Finding(
        title="The node has no default route",
        confidence=Confidence.CERTAIN if stuck else Confidence.LIKELY,
        evidence=(
            Evidence("no route for 0.0.0.0/0 in any table"),
            *(
                Evidence(f"no route to {address}, which was probed")
                for address in sorted(stuck)[:4]
            ),
            *((Evidence(f"all {len(rest)} other scanned nodes have one"),) if usual else ()),
        ),
        fix=Fix(
            "Put the route back where the network is configured; until then by hand:",
            (f"ip route add default via {gateways[0] if len(gateways) == 1 else 'GATEWAY'}",),
            verify="ip route show default",
            rollback="ip route del default",
        ),
    )


def _failed(route: Route, neighbours: Neighbours) -> bool:
    return any(
        n.address == route.gateway and n.interface == route.interface and n.state == "failed"
        for n in neighbours.items
    )


def _outside(resolver: Resolver | None, maps: ConfigMaps | None) -> Iterator[str]:
    """Name servers that this node or its pods use."""
    for conf in (resolver.node, resolver.pods) if resolver else ():
        yield from () if isinstance(conf, Missing) else conf.nameservers
    yield from (address for address, _ in cluster_dns.upstreams(maps))


def _by(routes: Routes, address: str) -> Route | None:
    where = network(address)
    return pod_network.route_to(routes, where) if where and where.version == 4 else None


def _gateway(best: Route, behind: list[str]) -> Finding:
    return Finding(
        title=f"The default gateway {best.gateway} does not answer",
        confidence=Confidence.LIKELY,
        evidence=(
            Evidence(f"neighbour {best.gateway} on {best.interface} is failed: it answers no ARP"),
            Evidence(f"behind it: {', '.join(dict.fromkeys(behind))}"),
        ),
        fix=Fix(
            "Check the gateway, and the route's address against the subnet's real gateway.",
            (f"ip neigh show {best.gateway}", f"arping -c 3 -I {best.interface} {best.gateway}"),
            verify=f"ip neigh show {best.gateway}",
        ),
    )
