"""NIC-03: see the check's docstring."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kubectl_netdoctor.checks import packet_filter
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
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes

SHARE = 0.01  # loss that counts
SURE = 1.96  # two-sided 95 % of a normal distribution


@check(
    "NIC-03",
    Severity.HIGH,
    since="0.1",
    explains=(
        "ENC-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "API-02",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def packet_loss(
    probes: PerNode[PathProbes],
    nodes: Nodes,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """Packets between nodes are lost on the underlay.

    Meaning: small ICMP probes between node addresses were lost, more than chance allows, or a peer
      that the API calls Ready answered neither ICMP nor ARP.
    Impact: everything that touches the node is slow and flaky: DNS stalls of 5 s, retransmissions,
      API time-outs.
    Diagnosis: the lower end of the Wilson interval of the loss must exceed 1 %, so that one lost
      packet is no finding. A peer that answers no ICMP at all but does answer ARP filters ICMP, and
      that is no fault. Loss on all pairs of one node is that node, on one pair that path.
    Mitigation: remove the rule that drops, fix the link, the virtual NIC or the switch port; drain
      the node until then.
    Source: node-mixin; Wilson 1927 for the interval.
    """
    tested, failing, worst = _pairs(probes, nodes)
    if not tested:
        raise Inconclusive("no other Ready node could be probed by ICMP")
    for culprit in blame(failing, tested):
        dead = all(worst[p].received == 0 for p in culprit.pairs)
        rules = list(_rules(culprit, probes, nodes, Firewalls(iptables, nftables)))
        lost = sum(worst[p].lost for p in culprit.pairs)
        sent = sum(worst[p].sent for p in culprit.pairs)
        title = "A node does not answer the others" if dead else "Packets between nodes are lost"
        yield Finding(
            title=title,
            severity=Severity.CRITICAL if dead else Severity.HIGH,
            confidence=Confidence.CERTAIN if len(culprit.pairs) > 1 or rules else Confidence.LIKELY,
            evidence=(
                Evidence(f"{lost / sent:.0%} loss: {lost} of {sent} small ICMP probes unanswered"),
                *(Evidence(_text(p, worst[p]), p[0]) for p in culprit.pairs[:6]),
                *(Evidence(packet_filter.counted(d), n) for n, d in rules),
            ),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=_fix(culprit, rules),
        )


def _pairs(
    probes: PerNode[PathProbes], nodes: Nodes
) -> tuple[set[Pair], set[Pair], dict[Pair, PathProbe]]:
    tested: set[Pair] = set()
    failing: set[Pair] = set()
    kept: dict[Pair, PathProbe] = {}
    for name, fact in probes.items():
        for probe in fact.items:
            peer = nodes.named(probe.peer or "")
            if probe.role != "node" or probe.protocol != "icmp" or peer is None or not peer.ready:
                continue
            pair = (name, peer.name)
            filtered = probe.received == 0 and _answers_otherwise(fact, peer.name)
            if filtered or _refused(probe):
                continue
            tested.add(pair)
            kept[pair] = probe
            if wilson_low(probe.lost, probe.sent) > SHARE and probe.lost > 1:
                failing.add(pair)
    return tested, failing, kept


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


def _text(pair: Pair, probe: PathProbe) -> str:
    errors = ", ".join(f"{n} {e}" for e, n in sorted(probe.errors.items()))
    return f"to {pair[1]} ({probe.address}): {probe.received}/{probe.sent} answered ({errors})"


def _rules(
    culprit: Blame, scanned: PerNode[PathProbes], nodes: Nodes, firewalls: Firewalls
) -> Iterator[tuple[str, Drop]]:
    """Rules on scanned nodes that drop such packets, always or at random."""
    for name in culprit.members:
        seen: set[str] = set()
        for partner in culprit.partners(name) if name in scanned else ():
            peer = nodes.named(partner)
            there = network(peer.internal_ips[0]) if peer and peer.internal_ips else None
            ways: tuple[tuple[Hook, Packet], ...] = (
                ("input", Packet(source=there, protocol="icmp")),
                ("output", Packet(destination=there, protocol="icmp")),
            )
            verdicts = [firewalls.verdict(name, *way) for way in ways]
            for drop in [d for v in verdicts for d in (v.drop, *v.suspects) if d]:
                # Without a counter, only a rule that drops at random is a fair suspect.
                if drop.text not in seen and (drop.moved or "numgen" in drop.text):
                    seen.add(drop.text)
                    yield name, drop


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
