"""NIC-03: see the check's docstring."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import hop_words, packet_filter, transport_paths
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Risk,
    Severity,
    check,
)
from kubectl_netdoctor.checks.blame import Blame, Pair, blame
from kubectl_netdoctor.checks.packet import Drop, Hook, Packet, network
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.checks.transport_paths import Way
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.transport import HOST_PORT, TransportProbes

SHARE = 0.01  # loss that counts
SURE = 1.96  # two-sided 95 % of a normal distribution
SURELY = 10  # packets lost in one direction; chance and a moment's jam take fewer


@check(
    "NIC-03",
    Severity.HIGH,
    since="0.1",
    explains=(
        "ENC-01",
        "ENC-10",
        "DNS-05",
        "DNS-07",
        "API-01",
        "API-02",
        "SVC-02",
        "RTE-13",
        "DNS-22",
        "DNS-21",
        "API-09",
        "TGT-01",
    ),
)
def packet_loss(
    probes: PerNode[PathProbes],
    nodes: Nodes,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
    hops: PerNode[Hops] | None,
    transport: PerNode[TransportProbes] | None,
) -> Iterator[Finding]:
    """Packets between nodes are lost on the underlay.

    Meaning: small ICMP or UDP probes between node addresses were lost, more than chance allows, or
      a peer that the API calls Ready answered neither ICMP nor ARP.
    Impact: everything that touches the node is slow and flaky: DNS stalls of 5 s, retransmissions,
      API time-outs.
    Diagnosis: the lower end of the Wilson interval of the loss must exceed 1 %, so that one lost
      packet is no finding. A peer that answers no ICMP at all but does answer ARP filters ICMP, and
      that is no fault. Where both nodes are scanned, each counts the UDP packets of the other that
      come in, so that the two directions are told apart, and ICMP that is lost alone (hosts limit
      it) is no fault. Loss on all pairs of one node is that node, on one pair that path.
      Captures on the NICs of both nodes say where the packets were last seen.
    Mitigation: remove the rule that drops, fix the link, the virtual NIC or the switch port; drain
      the node until then.
    Source: node-mixin; Wilson 1927 for the interval.
    """
    tested = _echoes(probes, nodes)
    ways = transport_paths.ways(transport, nodes)
    if not tested and not ways:
        raise Inconclusive("no other Ready node could be probed by ICMP or UDP")
    losses = {**_lossy_ways(ways), **_lossy_echoes(tested, ways)}
    for culprit in blame(losses, {*tested, *ways}):
        seen = [losses[p] for p in culprit.pairs]
        dead = all(loss.lost == loss.sent for loss in seen)
        places = hop_words.losses(hops, culprit.pairs, "node", silent=dead)
        meaning = hop_words.explained(places)
        rules = list(_rules(culprit, probes, nodes, Firewalls(iptables, nftables)))
        lost, sent = sum(loss.lost for loss in seen), sum(loss.sent for loss in seen)
        title = "A node does not answer the others" if dead else "Packets between nodes are lost"
        kind = "UDP packets lost" if seen[0].one_way else "ICMP probes unanswered"
        yield Finding(
            title=title,
            severity=Severity.CRITICAL if dead else Severity.HIGH,
            confidence=_confidence(culprit, seen, rules),
            evidence=(
                Evidence(f"{lost / sent:.0%} loss: {lost} of {sent} small {kind}"),
                *(Evidence(losses[p].text, p[0]) for p in culprit.pairs[:6]),
                *_one_way_only(culprit, losses, transport, nodes),
                *hop_words.told(places),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
                *((meaning,) if meaning and not rules else ()),
            ),
            subjects=culprit.subjects,
            scope=culprit.words + hop_words.one_way(places),
            paths=culprit.pairs,
            fix=_fix(culprit, rules),
        )


@dataclass(frozen=True, slots=True)
class _Loss:
    """What one directed pair lost; `one_way`: in that direction, not on the way there and back."""

    sent: int
    lost: int
    text: str
    one_way: bool


def _confidence(culprit: Blame, seen: Collection[_Loss], rules: Collection[object]) -> Confidence:
    counted = all(loss.one_way and loss.lost >= SURELY for loss in seen)
    return Confidence.CERTAIN if len(culprit.pairs) > 1 or rules or counted else Confidence.LIKELY


def _echoes(probes: PerNode[PathProbes], nodes: Nodes) -> dict[Pair, PathProbe]:
    """ICMP between Ready nodes that do not filter it."""
    kept: dict[Pair, PathProbe] = {}
    for name, fact in probes.items():
        for probe in fact.items:
            peer = nodes.named(probe.peer or "")
            if probe.role != "node" or probe.protocol != "icmp" or peer is None or not peer.ready:
                continue
            filtered = probe.received == 0 and _answers_otherwise(fact, peer.name)
            if not filtered and not _refused(probe):
                kept[name, peer.name] = probe
    return kept


def _lossy_ways(ways: dict[Pair, Way]) -> dict[Pair, _Loss]:
    """Directions that lose, on their own or together with all others into or out of a node."""
    failing = {p for p, w in ways.items() if _significant(w.lost, w.sent)}
    for end in (0, 1):
        for name in {p[end] for p in ways}:
            group = [p for p in ways if p[end] == name]
            lost, sent = sum(ways[p].lost for p in group), sum(ways[p].sent for p in group)
            if len(group) > 1 and all(ways[p].lost for p in group) and _significant(lost, sent):
                failing |= set(group)
    return {p: _Loss(ways[p].sent, ways[p].lost, _way_text(p, ways), True) for p in failing}


def _lossy_echoes(tested: dict[Pair, PathProbe], ways: dict[Pair, Way]) -> dict[Pair, _Loss]:
    """Pairs that lose ICMP, where UDP does not say it better or otherwise."""
    better = _lossy_ways(ways)
    found: dict[Pair, _Loss] = {}
    for pair, probe in tested.items():
        low = wilson_low(probe.lost, probe.sent)
        both = [ways[p] for p in (pair, pair[::-1]) if p in ways]
        sent, lost = sum(w.sent for w in both), sum(w.lost for w in both)
        clean = len(both) == 2 and wilson_high(lost, sent) < low
        if (
            _significant(probe.lost, probe.sent)
            and not clean
            and not better.keys()
            & {
                pair,
                pair[::-1],
            }
        ):
            found[pair] = _Loss(probe.sent, probe.lost, _text(pair, probe), False)
    return found


def _significant(lost: int, sent: int) -> bool:
    return lost > 1 and wilson_low(lost, sent) > SHARE


def _way_text(pair: Pair, ways: dict[Pair, Way]) -> str:
    words = []
    for a, b in (pair, pair[::-1]):
        if way := ways.get((a, b)):
            words.append(f"{a} -> {b}: {way.lost} of {way.sent} UDP packets lost ({way.share:.1%})")
    return "; ".join(words)


def _one_way_only(
    culprit: Blame,
    losses: dict[Pair, _Loss],
    transport: PerNode[TransportProbes] | None,
    nodes: Nodes,
) -> Iterator[Evidence]:
    """Where nothing comes back and yet the peer heard us: the way back is cut."""
    for pair in culprit.pairs:
        loss = losses[pair]
        heard = transport_paths.heard_from(transport, nodes, pair)
        if not loss.one_way and loss.lost == loss.sent and heard:
            text = f"{heard} UDP packets of {pair[0]} came in: {pair[1]} -> {pair[0]} is cut"
            yield Evidence(text, pair[1])


def _answers_otherwise(fact: PathProbes, peer: str) -> bool:
    """Whether the peer answered anything else: then ICMP is filtered and nothing is lost."""
    return any(p.received for p in fact.items if p.peer == peer and p.role != "overlay")


def _refused(probe: PathProbe) -> bool:
    """Whether the probes were refused and not lost: filtered, or not allowed to leave.

    Hosts limit the ICMP errors that they send, so one that arrived explains the silence beside it.
    """
    kinds = ("admin-prohibited", "not-permitted", "port-unreachable")
    return probe.received == 0 and any(probe.errors.get(k) for k in kinds)


def wilson_low(lost: int, sent: int, z: float = SURE) -> float:
    """Lower bound of the loss share, 0 to 1; 0 without probes."""
    if sent <= 0:
        return 0.0
    share = lost / sent
    centre = share + z * z / (2 * sent)
    spread = z * math.sqrt(share * (1 - share) / sent + z * z / (4 * sent * sent))
    return max(0.0, (centre - spread) / (1 + z * z / sent))


def wilson_high(lost: int, sent: int, z: float = SURE) -> float:
    """Upper bound of the loss share; 1 without probes."""
    return 1.0 - wilson_low(sent - lost, sent, z) if sent > 0 else 1.0


def _text(pair: Pair, probe: PathProbe) -> str:
    errors = ", ".join(f"{n} {e}" for e, n in sorted(probe.errors.items()))
    return f"to {pair[1]} ({probe.address}): {probe.received}/{probe.sent} answered ({errors})"


def _rules(
    culprit: Blame, scanned: PerNode[PathProbes], nodes: Nodes, firewalls: Firewalls
) -> Iterator[tuple[str, Drop]]:
    """Rules on scanned nodes that drop such packets, always or at random."""
    return firewalls.fair_drops(_packets(culprit, scanned, nodes))


def _packets(
    culprit: Blame, scanned: PerNode[PathProbes], nodes: Nodes
) -> Iterator[tuple[str, Hook, Packet]]:
    """What scanned nodes of the failing pairs receive and send."""
    for name in culprit.members:
        for partner in culprit.partners(name) if name in scanned else ():
            peer = nodes.named(partner)
            there = network(peer.internal_ips[0]) if peer and peer.internal_ips else None
            yield name, "input", Packet(source=there, protocol="icmp")
            yield name, "output", Packet(destination=there, protocol="icmp")
            yield name, "input", Packet(there, protocol="udp", destination_port=HOST_PORT)
            yield name, "output", Packet(None, there, protocol="udp", destination_port=HOST_PORT)


def _fix(culprit: Blame, rules: list[tuple[str, Drop]]) -> Fix:
    removals = tuple(dict.fromkeys(d.remove for _, d in rules if d.remove))
    if removals:
        return Fix(
            "A firewall rule drops these packets: remove it.",
            removals,
            verify="ping -c 50 -i 0.05 -q PEER",
        )
    name = culprit.node or culprit.pairs[0][0]
    return Fix(
        "Nothing on the scanned nodes drops these packets: look at the NIC, its driver's counters, "
        "the switch port or the provider. Until then, move work off the node.",
        (
            "ip -s link show",
            "ethtool -S $(ip route show default | awk '{print $5; exit}') | grep -iE 'err|drop|miss'",
            f"kubectl drain {name} --ignore-daemonsets --delete-emptydir-data",
        ),
        risk=Risk.DISRUPTIVE,
        verify="ping -c 50 -i 0.05 -q PEER",
        rollback=f"kubectl uncordon {name}",
    )
