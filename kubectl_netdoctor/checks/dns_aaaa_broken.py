"""DNS-15: see the check's docstring."""

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
from kubectl_netdoctor.checks.dns_cells import Seen, percentile
from kubectl_netdoctor.checks.dns_places import ClusterDns, Place, places
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import DnsProbes

REFUSING = ("SERVFAIL", "NOTIMP", "REFUSED", "FORMERR")
PAYLOAD = '"base"'  # bytes at a place of the packet: nft has no word for the type of a question
TIMES, EXTRA_MS = 3, 100.0  # slower than A, both at once


@check("DNS-15", Severity.MEDIUM, since="0.1")
def dns_aaaa_broken(
    matrix: PerNode[DnsMatrix],
    probes: PerNode[DnsProbes] | None,
    services: Services | None,
    slices: EndpointSlices | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """AAAA questions are dropped, refused or answered slowly, and A questions are not.

    Meaning: the same server answers A for a name at once and AAAA for the same name not at all, with
      an error, or a good deal later.
    Impact: the libc asks for both and waits for both: each lookup of a dual-stack client stalls for
      5 s or fails, worst with musl (Alpine).
    Diagnosis: an empty answer with NOERROR is right for a name without IPv6. Both types are asked
      alone, from sockets of their own, so that a lost pair is not taken for this.
    Mitigation: mend or replace the resolver or the box that filters by type; in an IPv4-only
      cluster, let CoreDNS answer AAAA itself.
    Source: moby/moby#45553; gliderlabs/docker-alpine#255; RFC 4074 on misbehaviour with AAAA.
    """
    dns = ClusterDns.of(services, slices)
    judged = {one.cell: one for one in dns_cells.of_all(matrix, probes) if _fit(one)}
    bad = {cell: wrong for cell, one in judged.items() if (wrong := _wrong(one))}
    if not judged:
        raise Inconclusive("no DNS server answered A questions, so AAAA proves nothing")
    firewalls = Firewalls(iptables, nftables)
    for place in places(set(bad), set(judged), dns.endpoints):
        cells = [judged[c] for c in place.cells]
        dropped = [one for one in cells if bad[one.cell] == "dropped"]
        rules = dict.fromkeys(
            (o.node, d) for o in dropped for d in dns_packets.takers(o, firewalls, PAYLOAD)
        )
        how = bad[place.cells[0]]
        who = " and ".join(dns.name(s) for s in place.servers[:2])
        by = "" if place.kind not in ("server", "path") else f" by {who}"
        yield Finding(
            title=f"AAAA questions are {how}{by}, A questions are answered",
            confidence=Confidence.CERTAIN if len(cells) > 1 else Confidence.LIKELY,
            evidence=(
                *(
                    Evidence(f"{dns.name(o.server)}: AAAA {_text(o)}; A {_text(o, a=True)}", o.node)
                    for o in cells[:6]
                ),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
            ),
            subjects=dns.subjects(place),
            scope=dns.scope(place),
            paths=dns.paths(place),
            fix=_fix(place, cells, [d.remove for _, d in rules if d.remove]),
        )


def _fit(one: Seen) -> bool:
    """Behind the ClusterIP each question may have met another endpoint."""
    enough = sum(c.sent for c in one.aaaa) >= dns_cells.ENOUGH
    return one.role != "service" and enough and dns_cells.works(one.plain)


def _wrong(one: Seen) -> str | None:
    """What is wrong with AAAA, None where it is as good as A."""
    if dns_cells.silent(one.aaaa):
        return "dropped"
    said = {r for c in one.aaaa for r in c.rcodes}
    known = any(c.records for c in one.plain)
    if dns_cells.works(one.plain, ("NOERROR", "NXDOMAIN")) and not any(c.lost for c in one.aaaa):
        if said <= set(REFUSING):
            return "refused"
        if said == {"NXDOMAIN"} and known:
            return "denied (NXDOMAIN)"
    late = [ms for c in one.aaaa for ms in c.rtt_ms]
    if len(late) >= dns_cells.ENOUGH and one.latencies:
        # Its fastest AAAA against nearly the slowest A: a busy moment delays both.
        usual = percentile(one.latencies, 0.95)
        if min(late) >= TIMES * usual and min(late) - usual >= EXTRA_MS:
            return "answered slowly"
    return None


def _text(one: Seen, *, a: bool = False) -> str:
    cells = one.plain if a else one.aaaa
    times = [ms for c in cells for ms in c.rtt_ms]
    took = f", median {percentile(times, 0.5):.0f} ms" if times else ""
    return dns_cells.counts(cells) + took


def _fix(place: Place, cells: list[Seen], removals: list[str]) -> Fix:
    ask = tuple(f"dig @{s} {cells[0].plain[0].name} AAAA" for s in place.servers[:2])
    if removals:
        return Fix(
            "A firewall rule may take AAAA questions: remove it.",
            tuple(dict.fromkeys(removals)),
            verify=ask[0],
        )
    if cells[0].role in ("endpoint", "pod-resolver") and place.kind != "node":
        return Fix(
            "Look at the Corefile for what treats AAAA apart (template, rewrite, acl), and at "
            "firewalls that match on DNS types.",
            ("kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}'", *ask),
            verify=ask[0],
            run_on="kubectl",
        )
    return Fix(
        "Find what filters by type on the way (a firewall rule that matches DNS payload, a security "
        "appliance) or replace the resolver; in an IPv4-only cluster CoreDNS can answer itself: "
        "template IN AAAA . { rcode NOERROR }",
        ("nft list ruleset | grep -n -B2 -A2 -E '@(th|ih)|string'", *ask),
        verify=ask[0],
    )
