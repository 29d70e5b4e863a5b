"""TCP uploads that stall at full segments, while small packets pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
)
from kubectl_netdoctor.checks.blame import Pair, blame
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.transport import TransportPath, TransportProbes, TransportRole

SMALL_PASS = 0.9  # share of UDP packets that must be answered
ENOUGH = 10  # of them
AGAIN = 2  # retransmissions of a full segment
SHOWN = 6
Stalls = dict[TransportRole, tuple[set[Pair], dict[Pair, TransportPath]]]


def stalled(path: TransportPath) -> bool:
    """Whether a connection opened and its full segments went nowhere, beside small packets."""
    udp, tcp = path.udp, path.tcp
    small = udp.sent >= ENOUGH and udp.received >= SMALL_PASS * udp.sent
    return small and tcp.connected > 0 and tcp.ending == "stalled" and tcp.retransmits >= AGAIN


def words(path: TransportPath) -> str:
    """The upload in numbers."""
    tcp = path.tcp
    return (
        f"TCP upload to {path.address}: stalled after {tcp.acked} of {tcp.bytes} bytes, nothing "
        f"acknowledged for {tcp.idle_seconds:.1f} s (MSS {tcp.mss}, path MTU {tcp.pmtu}, "
        f"{tcp.retransmits} retransmissions)"
    )


def beside(transport: PerNode[TransportProbes] | None, pairs: Iterable[Pair]) -> Iterator[Evidence]:
    """The stalled uploads of these pairs, for the evidence of what is found about sizes."""
    for here, there in pairs:
        fact = transport.get(here) if transport else None
        for path in fact.items if fact else ():
            if path.peer == there and stalled(path):
                yield Evidence(words(path), here)


def unjudged(
    transport: PerNode[TransportProbes] | None,
    nodes: Nodes,
    judged: Mapping[TransportRole, AbstractSet[Pair]],
) -> Stalls:
    """Stalled uploads on paths whose sizes ICMP did not tell, with all paths that were tried."""
    found: Stalls = {}
    for role, known in judged.items():
        tested: set[Pair] = set()
        failing: dict[Pair, TransportPath] = {}
        for here, fact in transport.items() if transport else ():
            for path in fact.items:
                machine, pair = nodes.named(path.peer), (here, path.peer)
                if path.role != role or machine is None or not machine.ready or not path.answered:
                    continue
                tested.add(pair)
                damage = transport.get(path.peer) if transport else None
                wrong = damage is not None and damage.deltas.get("Tcp.InCsumErrors", 0) > 0
                if stalled(path) and pair not in known and not wrong:
                    failing[pair] = path
        if failing:
            found[role] = (tested, failing)
    return found


def findings(stalls: Stalls) -> Iterator[Finding]:
    """One for each culprit; where the underlay stalls, what goes through it does too."""
    role: TransportRole = "node" if "node" in stalls else "overlay"
    tested, failing = stalls.get(role, (set(), {}))
    for culprit in blame(failing, tested):
        yield Finding(
            title="TCP stalls at full segments, while small packets pass"
            + ("" if role == "node" else " inside the tunnel"),
            severity=Severity.HIGH,
            confidence=Confidence.LIKELY,
            evidence=(
                *(Evidence(words(failing[p]), p[0]) for p in culprit.pairs[:SHOWN]),
                Evidence("no echo request is answered there: the size that passes is not known"),
            ),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=Fix(
                "Something between these nodes takes large packets without a word: raise the MTU of "
                "what lies between, or let ICMP type 3 code 4 pass. Until then TCP can find the size "
                "by itself (each network namespace has this setting):",
                ("sysctl -w net.ipv4.tcp_mtu_probing=1",),
                verify=f"tracepath -n {failing[culprit.pairs[0]].address}",
                rollback="sysctl -w net.ipv4.tcp_mtu_probing=0",
            ),
        )
