"""ENC-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import hop_words, packet_filter, tunnel_direction, tunnel_packets
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Inconclusive,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.checks.blame import Blame, Pair, blame
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes

ENOUGH = 3  # probes; fewer prove nothing


@check(
    "ENC-01",
    Severity.CRITICAL,
    since="0.1",
    explains=("DNS-05", "DNS-07", "API-01", "SVC-02", "RTE-13", "DNS-22", "DNS-21", "API-09"),
)
def tunnel_port_blocked(
    probes: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
    hops: PerNode[Hops] | None,
) -> Iterator[Finding]:
    """Tunnel packets between nodes are dropped.

    Meaning: nodes answer each other on the underlay, but the address of a peer's tunnel device,
      which answers through the tunnel only, is silent: the encapsulated packets get lost.
    Impact: pods on different nodes do not reach each other; DNS, Services and webhooks stall on
      nodes that hold none of the backends.
    Diagnosis: small ICMP probes on the underlay pass and all probes through the tunnel are lost, at
      the same time on the same pair. The device's own port is named, and the host firewall's rule
      where one is found; without one the drop is between the nodes. Captures on the NIC and the
      tunnel device of both nodes say where the packets were last seen.
    Mitigation: open the tunnel's UDP port between all nodes, both ways.
    Source: flannel, troubleshooting; flannel-io/flannel#871; k3s-io/k3s#2935.
    """
    tested, failing, numbers = _pairs(probes, nodes)
    if not tested:
        raise Inconclusive(
            "no tunnel address of another Ready node is known, or none answers below"
        )
    for culprit in blame(failing, tested):
        firewalls = Firewalls(iptables, nftables)
        drops = list(_drops(culprit, probes, nodes, interfaces, firewalls))
        port = tunnel_packets.port_of(culprit, interfaces)
        lost = hop_words.losses(hops, culprit.pairs, "overlay", silent=True)
        known = any(loss.whole for loss in lost)
        unexplained = tunnel_direction.unexplained(culprit, set(probes), interfaces)
        meaning = hop_words.explained(lost)
        what = f"UDP {port}" if port else "tunnel"
        yield Finding(
            title=f"The overlay is cut: {what} packets between nodes are lost",
            confidence=Confidence.CERTAIN if drops or meaning else Confidence.LIKELY,
            evidence=(
                *(Evidence(f"to {p[1]}: {numbers[p]}", p[0]) for p in culprit.pairs[:6]),
                *hop_words.told(lost),
                *(
                    Evidence(f"{n} cannot {way}: {packet_filter.counted(d)}", n)
                    for n, way, d in drops
                ),
                *(() if drops else (meaning,) if meaning else () if known else unexplained),
            ),
            subjects=culprit.subjects,
            scope=culprit.words + hop_words.one_way(lost),
            paths=culprit.pairs,
            fix=tunnel_packets.opening(
                port, [d for *_, d in drops], [n for n in culprit.members if n not in probes]
            ),
        )


def _pairs(
    probes: PerNode[PathProbes], nodes: Nodes
) -> tuple[set[Pair], set[Pair], dict[Pair, str]]:
    """Tested pairs, failing pairs, and both numbers of each failing pair."""
    tested: set[Pair] = set()
    failing: set[Pair] = set()
    numbers: dict[Pair, str] = {}
    for name, fact in probes.items():
        for probe in fact.items:
            if probe.role != "overlay" or probe.peer is None or probe.sent < ENOUGH:
                continue
            peer = nodes.named(probe.peer)
            below = _underlay(fact, probe.peer)
            # A peer that is down, or silent on the underlay too, says nothing about the tunnel.
            if peer is None or not peer.ready or below is None:
                continue
            pair = (name, probe.peer)
            tested.add(pair)
            if probe.received == 0 and not _local(probe):
                failing.add(pair)
                numbers[pair] = (
                    f"{probe.received}/{probe.sent} through the tunnel ({probe.address}), "
                    f"{below.received}/{below.sent} {below.protocol.upper()} on the underlay"
                )
    return tested, failing, numbers


def _underlay(fact: PathProbes, peer: str) -> PathProbe | None:
    """A probe of the same peer that was answered on the underlay."""
    found = [p for p in fact.items if p.peer == peer and p.role == "node" and p.received]
    return max(found, key=lambda p: (p.protocol == "icmp", p.received), default=None)


def _local(probe: PathProbe) -> bool:
    """Whether the packets never left: no route or no neighbour entry, faults of their own."""
    kept = sum(probe.errors.get(e, 0) for e in ("no-route", "neighbour-failed", "message-too-long"))
    return kept == probe.sent


def _drops(
    culprit: Blame,
    scanned: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
    firewalls: Firewalls,
) -> Iterator[tuple[str, str, Drop]]:
    """Rules on scanned nodes of the failing pairs that take the outer packets, and which way."""
    told: set[tuple[str, str]] = set()
    for name, way, hook, packet in tunnel_packets.outer(culprit, scanned, nodes, interfaces):
        drop = firewalls.first_drop(name, (hook, packet))
        if drop and (name, way) not in told:
            told.add((name, way))
            yield name, way, drop
