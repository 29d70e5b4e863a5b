"""ENC-10: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import hop_words, packet_filter, transport_paths, tunnel_packets
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
from kubectl_netdoctor.checks.blame import Blame, Pair, blame
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.checks.packet_loss import SURELY, wilson_high, wilson_low
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.transport import TransportProbes

LEAST = 4  # packets of one pair; chance and a moment's jam take fewer


@check(
    "ENC-10",
    Severity.HIGH,
    since="0.1",
    explains=("DNS-05", "DNS-07", "API-01", "SVC-02", "RTE-13", "DNS-22", "DNS-21", "API-09"),
)
def tunnel_loss(
    probes: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
    hops: PerNode[Hops] | None,
    transport: PerNode[TransportProbes] | None,
) -> Iterator[Finding]:
    """The tunnel loses packets that the underlay carries.

    Meaning: a part of the packets through the tunnel is lost, between nodes whose own addresses
      lose none, or clearly fewer.
    Impact: pods of these nodes are slow and flaky with each other: retransmissions, DNS stalls.
    Diagnosis: the lower end of the Wilson interval of the loss in the tunnel lies above the upper end
      of the loss below it, on the same pair and in the same window. What does that takes the tunnel's
      packets for something else: a rate limit or policer on UDP (a firewall's, a provider's), a rule
      that drops at random. Everything lost is ENC-01, loss below as well is NIC-03.
    Mitigation: remove the limit, or take the tunnel's port out of it.
    Source: Wilson 1927 for the interval; RFC 7348 for the outer packets.
    """
    tested = {**_echoes(probes, nodes), **_ways(transport, nodes)}
    if not tested:
        raise Inconclusive("no tunnel answered between Ready nodes that answer below it")
    failing = {p for p, both in tested.items() if both.worse}
    for culprit in blame(failing, set(tested)):
        rules = list(_rules(culprit, probes, nodes, interfaces, Firewalls(iptables, nftables)))
        places = hop_words.losses(hops, culprit.pairs, "overlay")
        seen = [tested[p] for p in culprit.pairs]
        counted = sum(both.lost for both in seen) >= SURELY
        yield Finding(
            title="The overlay loses packets that the underlay carries",
            confidence=Confidence.CERTAIN if counted or rules else Confidence.LIKELY,
            evidence=(
                *(Evidence(tested[p].text, p[0]) for p in culprit.pairs[:6]),
                *hop_words.told(places),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
            ),
            subjects=culprit.subjects,
            scope=culprit.words + hop_words.one_way(places),
            paths=culprit.pairs,
            fix=_fix(tunnel_packets.port_of(culprit, interfaces), [d for _, d in rules]),
        )


@dataclass(frozen=True, slots=True)
class _Both:
    """One directed pair, in the tunnel and below it."""

    sent: int
    lost: int
    sent_below: int
    lost_below: int
    text: str

    @property
    def worse(self) -> bool:
        """Whether the tunnel loses some, and more than the underlay by more than chance."""
        some = LEAST <= self.lost < self.sent
        return some and wilson_low(self.lost, self.sent) > wilson_high(
            self.lost_below, self.sent_below
        )


def _echoes(probes: PerNode[PathProbes], nodes: Nodes) -> dict[Pair, _Both]:
    """ICMP there and back."""
    found: dict[Pair, _Both] = {}
    for name, fact in probes.items():
        by_role = {(p.peer, p.role): p for p in fact.items if p.peer and p.protocol == "icmp"}
        for (peer, role), probe in by_role.items():
            below = by_role.get((peer, "node"))
            machine = nodes.named(peer or "")
            if role != "overlay" or not below or not machine or not machine.ready:
                continue
            if probe.received and below.received:
                text = (
                    f"to {peer}: {probe.received}/{probe.sent} ICMP through the tunnel "
                    f"({probe.address}), {below.received}/{below.sent} on the underlay"
                )
                found[name, machine.name] = _Both(
                    probe.sent, probe.lost, below.sent, below.lost, text
                )
    return found


def _ways(transport: PerNode[TransportProbes] | None, nodes: Nodes) -> dict[Pair, _Both]:
    """UDP in one direction, where it was counted at both ends."""
    found: dict[Pair, _Both] = {}
    below = transport_paths.ways(transport, nodes)
    for pair, way in transport_paths.ways(transport, nodes, "overlay").items():
        if under := below.get(pair):
            text = (
                f"{pair[0]} -> {pair[1]}: {way.lost} of {way.sent} UDP packets lost in the tunnel, "
                f"{under.lost} of {under.sent} on the underlay"
            )
            found[pair] = _Both(way.sent, way.lost, under.sent, under.lost, text)
    return found


def _rules(
    culprit: Blame,
    scanned: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
    firewalls: Firewalls,
) -> Iterator[tuple[str, Drop]]:
    """Rules that may take the outer packets."""
    packets = tunnel_packets.outer(culprit, scanned, nodes, interfaces)
    return firewalls.fair_drops((name, hook, packet) for name, _, hook, packet in packets)


def _fix(port: int | None, drops: list[Drop]) -> Fix:
    if drops:
        return tunnel_packets.opening(port, drops, [])
    where = f"UDP {port}" if port else "the tunnel's packets"
    return Fix(
        f"Nothing on the scanned nodes drops {where}: look for a rate limit or policer on UDP, at "
        "the provider, on the switch, in tc or an XDP program, and take the tunnel's port out of it.",
        (
            "tc -s qdisc show",
            "nft list ruleset | grep -nE 'limit|numgen'",
            "iptables-save -c | grep -E 'limit|statistic'",
        ),
        verify="ping -c 50 -i 0.05 -q the address of a peer's tunnel device",
    )
