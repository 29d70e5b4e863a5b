"""DNS-22: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import (
    cluster_dns,
    dns_cells,
    dns_packets,
    packet_filter,
    transport_paths,
)
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
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.checks.cpu_pressure import Cpus
from kubectl_netdoctor.checks.dns_cells import Seen
from kubectl_netdoctor.checks.dns_places import Cell, ClusterDns, Place, places
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.checks.packet_loss import wilson_high, wilson_low
from kubectl_netdoctor.checks.transport_paths import Way
from kubectl_netdoctor.facts.cluster import EndpointSlices, Nodes, Services
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes, PathProbes
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo
from kubectl_netdoctor.facts.system import CpuTimes, Pressure
from kubectl_netdoctor.facts.transport import TransportProbes

LEAST = 4  # questions; a busy moment loses fewer
ENOUGH = 10  # questions without a loss, that speak for one end


@check("DNS-22", Severity.HIGH, since="0.1", explains=("DNS-02", "DNS-13", "DNS-15", "DNS-21"))
def dns_questions_lost(  # noqa: PLR0917  # each is a fact
    matrix: PerNode[DnsMatrix],
    probes: PerNode[DnsProbes],
    paths: PerNode[PathProbes],
    services: Services,
    slices: EndpointSlices,
    run: RunInfo,
    changes: ServiceChanges | None,
    pressure: PerNode[Pressure] | None,
    times: PerNode[CpuTimes] | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
    nodes: Nodes,
    transport: PerNode[TransportProbes] | None,
) -> Iterator[Finding]:
    """A part of the questions to a cluster DNS endpoint is lost.

    Meaning: an endpoint answers some questions over UDP and not others, while the path to its node
      loses nothing, or clearly less.
    Impact: a lookup whose question is lost stalls for 5 s, which is what pods see as names that fail
      now and then.
    Diagnosis: the lower end of the Wilson interval of the lost questions lies above the upper end of
      the packets lost on the path, in the same window. A rule that drops at random or above a rate is
      looked for on the asking node. A node that was short of CPU answers late, which looks the same:
      then the end that lacks it is doubted unless it was in time with others.
    Mitigation: remove the rule or limit; an endpoint that loses questions of every node: give its pod
      CPU, or replace it.
    Source: kubernetes/kubernetes#56903 (5 s stalls); Wilson 1927 for the interval.
    """
    cluster_dns.settle(cluster_dns.service(services), changes, run)
    dns = ClusterDns.of(services, slices)
    asked = {
        one.cell: _Asked(one) for one in dns_cells.of_all(matrix, probes) if one.role == "endpoint"
    }
    if not any(one.answered for one in asked.values()):
        raise Inconclusive("no endpoint of cluster DNS answered anything")
    cpus, firewalls = Cpus(pressure, times), Firewalls(iptables, nftables)
    below = _Below(paths, transport_paths.ways(transport, nodes, "overlay"), dns, asked)
    bad = {c for c, one in asked.items() if one.lossy and below.loses_less(one)}
    bad = {c for c in bad if not _starved(c, dns, cpus, asked)}
    for place in places(bad, asked.keys(), dns.endpoints):
        rules = list(_rules(place, asked, firewalls))
        yield Finding(
            title=f"Cluster DNS gets only a part of the questions: {_names(place, dns)}",
            confidence=Confidence.CERTAIN if rules or len(place.cells) > 1 else Confidence.LIKELY,
            evidence=(
                *(Evidence(asked[c].text, c[0]) for c in place.cells[:6]),
                *_others(place, asked),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
            ),
            subjects=dns.subjects(place),
            scope=dns.scope(place),
            paths=dns.paths(place),
            fix=_fix(place, dns, [d for _, d in rules]),
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Small questions over UDP that one node sent to one endpoint."""

    seen: Seen

    @property
    def sent(self) -> int:
        return sum(p.sent for p in self._parts())

    @property
    def answered(self) -> int:
        return sum(p.answered for p in self._parts())

    @property
    def lost(self) -> int:
        return self.sent - self.answered

    @property
    def lossy(self) -> bool:
        return self.lost >= LEAST and self.answered > 0

    @property
    def clean(self) -> bool:
        return self.lost == 0 and self.sent >= ENOUGH

    @property
    def text(self) -> str:
        return f"{self.answered} of {self.sent} small questions answered by {self.seen.server}"

    def _parts(self) -> tuple[DnsProbe | DnsCell, ...]:
        return (*(p for p in self.seen.probes if p.transport == "udp"), *self.seen.plain)


@dataclass(frozen=True, slots=True)
class _Below:
    """What the path to an endpoint's node loses; on one node, what other endpoints do."""

    paths: PerNode[PathProbes]
    ways: dict[Pair, Way]
    dns: ClusterDns
    asked: dict[Cell, _Asked]

    def loses_less(self, one: _Asked) -> bool:
        """Whether that is clearly less than the questions."""
        return wilson_low(one.lost, one.sent) > self._most(*one.seen.cell)

    def _most(self, name: str, server: str) -> float:
        """The most that the path may lose there and back; 1 where nothing was measured."""
        endpoint, fact = self.dns.endpoints.get(server), self.paths.get(name)
        home = endpoint.node if endpoint else None
        ways = [w for p in ((name, home or ""), (home or "", name)) if (w := self.ways.get(p))]
        if len(ways) == 2:  # many packets, and like the questions UDP
            return sum(wilson_high(w.lost, w.sent) for w in ways)
        echoes = [p for p in fact.items if home and p.peer == home] if fact else []
        icmp = [p for p in echoes if p.protocol == "icmp"]
        icmp = [p for p in icmp if p.role == "overlay"] or icmp
        if icmp:
            return wilson_high(sum(p.lost for p in icmp), sum(p.sent for p in icmp))
        others = [o for c, o in self.asked.items() if c[0] == name and c[1] != server]
        return wilson_high(sum(o.lost for o in others), sum(o.sent for o in others))


def _starved(cell: Cell, dns: ClusterDns, cpus: Cpus, asked: dict[Cell, _Asked]) -> bool:
    """Whether an end of this way was short of CPU and with nobody else in time."""
    name, server = cell
    endpoint = dns.endpoints.get(server)
    mine = any(o.clean for c, o in asked.items() if c[0] == name and c[1] != server)
    its = any(o.clean for c, o in asked.items() if c[1] == server and c[0] != name)
    short = {n for n in (name, endpoint.node if endpoint else None) if n and cpus.shortage(n)}
    return (name in short and not mine) or (bool(short - {name}) and not its)


def _names(place: Place, dns: ClusterDns) -> str:
    return ", ".join(dns.name(s) for s in place.servers)


def _others(place: Place, asked: dict[Cell, _Asked]) -> Iterator[Evidence]:
    """What the same nodes got from others, and others from the same: where the fault is not."""
    for cell, one in sorted(asked.items()):
        near = cell[0] in place.nodes or cell[1] in place.servers
        if cell not in place.cells and near and one.clean:
            yield Evidence(one.text, cell[0])


def _rules(
    place: Place, asked: dict[Cell, _Asked], firewalls: Firewalls
) -> Iterator[tuple[str, Drop]]:
    """Rules on the asking nodes that may take questions or answers."""
    return firewalls.fair_drops(
        (cell[0], *way)
        for cell in place.cells
        for way in dns_packets.ways(cell[1], asked[cell].seen.port, "udp")
    )


def _fix(place: Place, dns: ClusterDns, drops: list[Drop]) -> Fix:
    removals = tuple(dict.fromkeys(d.remove for d in drops if d.remove))
    verify = f"for i in $(seq 20); do dig +tries=1 +time=1 @{place.servers[0]} . NS; done"
    if removals:
        return Fix(
            "A firewall rule on the asking node takes some of the questions: remove it where the "
            "firewall's own configuration has it, or now by hand:",
            removals,
            verify=verify,
        )
    namespace = dns.service.namespace if dns.service else "kube-system"
    return Fix(
        "Look for a rate limit on UDP 53 between these nodes and the endpoint (firewall, NetworkPolicy, "
        "provider), and at the pod's CPU limit.",
        (
            f"kubectl -n {namespace} top pods -l k8s-app=kube-dns",
            "nft list ruleset | grep -nE 'limit|numgen'",
            "iptables-save -c | grep -E 'limit|statistic'",
        ),
        verify=verify,
    )
