"""DNS-13: see the check's docstring."""

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
from kubectl_netdoctor.checks.dns_cells import COMPACT, Seen
from kubectl_netdoctor.checks.dns_places import ClusterDns, Place, places
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import DnsProbes

GOOD = ("NOERROR", "NXDOMAIN")
LENGTH = "length"  # as nft writes the field


@check("DNS-13", Severity.MEDIUM, since="0.1")
def dns_large_answers_lost(
    matrix: PerNode[DnsMatrix],
    probes: PerNode[DnsProbes] | None,
    services: Services | None,
    slices: EndpointSlices | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """Large DNS answers or EDNS questions are lost while small ones pass.

    Meaning: a server that answers small questions gives no answer over UDP when the answer is above
      512 bytes, or when the question carries EDNS, which nearly every resolver sends.
    Impact: names with many addresses, SRV and TXT records, and signed zones fail or stall, others
      work; it looks like a fault of single domains.
    Diagnosis: a query as large whose answer is small is answered, so it is the answer that dies. The
      same question over TCP tells how large it is, and whether clients that fall back get it. Loss
      of fragments (MTU-07) gives the same hole for answers above the MTU.
    Mitigation: let UDP from port 53 pass at any size; `bufsize 1232` in the Corefile avoids
      fragments.
    Source: RFC 6891; DNS flag day 2020 (1232 bytes); coredns/coredns#5998, #5953.
    """
    dns = ClusterDns.of(services, slices)
    judged = {one.cell: one for one in dns_cells.of_all(matrix, probes) if _fit(one)}
    bad = {cell: wrong for cell, one in judged.items() if (wrong := _wrong(one))}
    if not judged:
        raise Inconclusive("no server is known to have an answer above 512 bytes")
    firewalls = Firewalls(iptables, nftables)
    for place in places(set(bad), set(judged), dns.endpoints):
        cells = [judged[c] for c in place.cells]
        rules = dict.fromkeys(
            (o.node, d) for o in cells for d in dns_packets.takers(o, firewalls, LENGTH)
        )
        outside = all(o.role in dns_cells.OUTSIDE for o in cells)
        yield Finding(
            title=_title(bad[place.cells[0]], place, dns),
            severity=Severity.LOW if outside else Severity.MEDIUM,
            confidence=Confidence.CERTAIN if len(cells) > 1 else Confidence.LIKELY,
            evidence=(
                *(Evidence(f"{dns.name(o.server)}: {_text(o)}", o.node) for o in cells[:6]),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
            ),
            subjects=dns.subjects(place),
            scope=dns.scope(place),
            paths=dns.paths(place),
            fix=_fix(place, cells, [d.remove for _, d in rules if d.remove]),
        )


def _fit(one: Seen) -> bool:
    """Behind the ClusterIP each question may have met another endpoint."""
    return one.role != "service" and dns_cells.works(one.plain, GOOD) and _known(one)


def _size(one: Seen) -> int:
    """Bytes of the large answer as it came over TCP, or over UDP; 0 where none came."""
    return max((s for c in (*one.over_tcp, *one.large) for s in c.sizes), default=0)


def _known(one: Seen) -> bool:
    """Whether the server has an answer above 512 bytes, or was asked with EDNS often enough."""
    return _size(one) > COMPACT or sum(c.sent for c in one.small) >= dns_cells.ENOUGH


def _wrong(one: Seen) -> str | None:
    if dns_cells.silent(one.small):
        return "edns"
    failed = sum(c.rcodes.get("SERVFAIL", 0) for c in one.small)
    if failed >= dns_cells.ENOUGH and failed == sum(c.answered for c in one.small):
        return "edns"
    # The control must have passed: else it is the large query that dies.
    if dns_cells.silent(one.large) and _passed(one):
        return "large"
    return None


def _passed(one: Seen) -> bool:
    """Whether large queries with small answers came back, and the large answer is known to exist."""
    return any(c.answered for c in one.bulky) and dns_cells.works(one.small) and _exists(one)


def _exists(one: Seen) -> bool:
    """Over TCP it came and was large, or over UDP it was cut to fit 512 bytes.

    Where TCP is blocked too, the cut answer is the only witness.
    """
    cut = any(c.truncated for c in one.cells if c.transport == "udp" and c.payload == COMPACT)
    return cut or _size(one) > COMPACT


def _title(wrong: str, place: Place, dns: ClusterDns) -> str:
    what = "DNS questions with EDNS" if wrong == "edns" else "DNS answers above 512 bytes"
    if place.kind in ("server", "path"):
        return f"{what} are lost: {' and '.join(dns.name(s) for s in place.servers[:2])}"
    return f"{what} are lost"


def _text(one: Seen) -> str:
    size = _size(one)
    known = f" ({size} bytes over TCP)" if size and one.over_tcp else ""
    return (
        f"large answers over UDP {dns_cells.counts(one.large)}{known}; "
        f"as large queries with small answers {dns_cells.counts(one.bulky)}; "
        f"without EDNS {dns_cells.counts(one.plain)}"
    )


def _fix(place: Place, cells: list[Seen], removals: list[str]) -> Fix:
    verify = f"dig +bufsize=4096 +ignore @{place.servers[0]} {cells[0].large[0].name} {cells[0].large[0].type}"
    if removals:
        return Fix(
            "A firewall rule may take the large answers: remove it.",
            tuple(dict.fromkeys(removals)),
            verify=verify,
        )
    return Fix(
        "Find what drops UDP from port 53 by size: firewall rules on length, old appliances that "
        "expect DNS below 512 bytes, or an MTU that is too small on the way. Until then, let CoreDNS "
        "offer 1232 bytes at most (Corefile: bufsize 1232).",
        ("nft list ruleset | grep -n length", "iptables-save | grep -n -- '--length'"),
        verify=verify,
    )
