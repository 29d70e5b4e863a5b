"""DNS-12: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import dns_cells, dns_packets, packet_filter
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.checks.dns_places import Cell, ClusterDns, Place, places
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes


@check("DNS-12", Severity.MEDIUM, since="0.1")
def dns_tcp_blocked(
    probes: PerNode[DnsProbes],
    matrix: PerNode[DnsMatrix] | None,
    services: Services | None,
    slices: EndpointSlices | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """DNS over TCP is blocked while UDP works.

    Meaning: a server answers over UDP, and no question over TCP to the same address.
    Impact: an answer that does not fit into UDP comes truncated, and the client cannot get it: names
      with large answers fail, all others work.
    Diagnosis: silence is a filter, a reset is nobody listening. A connection that was there, closed or
      without an answer in time, is a server that is too slow: the port is open. All servers from one node are that
      node's firewall; the ClusterIP alone is a Service without the TCP port. For a resolver outside
      the cluster it is a hint only: not all of them serve TCP, though RFC 7766 demands it.
    Mitigation: open TCP 53 wherever UDP 53 is open: Service, NetworkPolicy, security group, firewall.
    Source: RFC 7766; coredns/coredns#844, #5362.
    """
    dns = ClusterDns.of(services, slices)
    tested = dict(_tested(probes))
    if not tested:
        raise Inconclusive("no DNS server answered over UDP, so TCP proves nothing")
    bad = {cell for cell, (_, tcp) in tested.items() if not tcp.answered and not _opened(tcp)}
    # The matrix asks for a large answer over TCP: one that came proves the port open.
    bad -= {cell for cell in bad if any(c.answered for c in _over_tcp(cell, matrix))}
    firewalls = Firewalls(iptables, nftables)
    ends = {c for c in bad if tested[c][0].role == "endpoint"}
    # The ClusterIP leads to the endpoints: it counts only where none of them is blocked.
    bad = {c for c in bad if tested[c][0].role != "service" or not ends}
    asked = {c for c in tested if tested[c][0].role != "service"} | bad
    late = {c for c, (_, tcp) in tested.items() if not tcp.answered and _opened(tcp)}
    if late and not bad:
        names = ", ".join(sorted({dns.name(server) for _, server in late}))
        raise Inconclusive(f"{names}: connections over TCP were there, and no answer came in time")
    for place in places(bad, asked, dns.endpoints):
        rules = list(_rules(place, tested, firewalls))
        outside = all(tested[c][0].role in dns_cells.OUTSIDE for c in place.cells)
        yield Finding(
            title=_title(place, dns, outside=outside),
            severity=Severity.LOW if outside else Severity.MEDIUM,
            confidence=Confidence.LIKELY if outside else Confidence.CERTAIN,
            evidence=(
                *(Evidence(_text(dns, *tested[c]), c[0]) for c in place.cells[:6]),
                *_truncated(place, matrix, dns),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
            ),
            subjects=dns.subjects(place),
            scope=dns.scope(place),
            paths=dns.paths(place),
            fix=_fix(place, tested, rules, dns),
        )


def _tested(probes: PerNode[DnsProbes]) -> Iterator[tuple[Cell, tuple[DnsProbe, DnsProbe]]]:
    """UDP and TCP of each server that answers over UDP and was asked often enough over TCP."""
    for name, fact in probes.items():
        by_way = {(p.server, p.port, p.role, p.transport): p for p in fact.items}
        for (server, port, role, way), udp in by_way.items():
            tcp = by_way.get((server, port, role, "tcp"))
            if way != "udp" or tcp is None or tcp.sent < dns_cells.ENOUGH:
                continue
            if udp.sent and udp.answered >= dns_cells.MOST * udp.sent:
                yield (name, server), (udp, tcp)


def _opened(tcp: DnsProbe) -> bool:
    """Whether a handshake was done: the kernel does it, however busy the server is."""
    return any(tcp.errors.get(kind) for kind in ("stalled", "closed"))


def _over_tcp(cell: Cell, matrix: PerNode[DnsMatrix] | None) -> Iterator[DnsCell]:
    node, server = cell
    cells = matrix[node].items if matrix and node in matrix else ()
    return (c for c in cells if c.server == server and c.transport == "tcp")


def _title(place: Place, dns: ClusterDns, *, outside: bool) -> str:
    if place.kind in ("server", "path"):
        who = " and ".join(dns.name(s) for s in place.servers[:2])
        kind = "resolver" if outside else "DNS server"
        return f"The {kind} {who} does not answer over TCP"
    return "DNS over TCP is blocked: truncated answers cannot be fetched"


def _text(dns: ClusterDns, udp: DnsProbe, tcp: DnsProbe) -> str:
    errors = ", ".join(f"{n} {e}" for e, n in sorted(tcp.errors.items()))
    return (
        f"{dns.name(tcp.server)}: TCP {tcp.port} {tcp.answered}/{tcp.sent} answered ({errors}), "
        f"UDP {udp.answered}/{udp.sent}"
    )


def _truncated(
    place: Place, matrix: PerNode[DnsMatrix] | None, dns: ClusterDns
) -> Iterator[Evidence]:
    """Answers that came truncated over UDP, which a client must now do without."""
    for node, server in place.cells:
        cells = matrix[node].items if matrix and node in matrix else ()
        cut = [c for c in cells if c.server == server and c.truncated]
        if cut:
            text = f"{cut[0].name} {cut[0].type} comes truncated over UDP from {dns.name(server)}"
            yield Evidence(text, node)
            return


def _rules(
    place: Place, tested: dict[Cell, tuple[DnsProbe, DnsProbe]], firewalls: Firewalls
) -> Iterator[tuple[str, Drop]]:
    """Rules on the asking nodes that take the questions or the answers, each once."""
    shown: set[tuple[str, str]] = set()
    for node, server in place.cells:
        ways = dns_packets.ways(server, tested[node, server][1].port, "tcp")
        drop = firewalls.first_drop(node, *ways)
        if drop and (node, drop.text) not in shown:
            shown.add((node, drop.text))
            yield node, drop


def _fix(
    place: Place,
    tested: dict[Cell, tuple[DnsProbe, DnsProbe]],
    rules: list[tuple[str, Drop]],
    dns: ClusterDns,
) -> Fix:
    verify = f"dig +tcp @{place.servers[0]} . NS"
    removals = tuple(dict.fromkeys(d.remove for _, d in rules if d.remove))
    if removals:
        return Fix(
            "A firewall rule takes DNS over TCP: remove it where the firewall's own configuration "
            "has it, or now by hand:",
            removals,
            verify=verify,
        )
    service = dns.service
    if tested[place.cells[0]][0].role == "service" and service:
        return Fix(
            "Give the Service its TCP port.",
            (
                f"kubectl -n {service.namespace} get service {service.name} -o jsonpath='{{.spec.ports}}'",
            ),
            verify=verify,
            run_on="kubectl",
        )
    return Fix(
        "Find what drops TCP 53 on the way: a firewall, a security group, a NetworkPolicy that allows "
        "UDP only.",
        (
            "iptables-save | grep -n -- '--dport 53'",
            "nft list ruleset | grep -n 'tcp dport'",
            "kubectl get networkpolicies -A",
        ),
        verify=verify,
    )
