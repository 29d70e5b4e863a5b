"""Who damages packets, on the underlay or in the tunnel: culprits with their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import transport_split
from kubectl_netdoctor.checks.base import Confidence, Evidence, Finding, Fix, PerNode
from kubectl_netdoctor.checks.blame import Blame, Pair, blame
from kubectl_netdoctor.checks.transport_split import SHOWN, Split
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.transport import TransportProbes

PROTOCOLS = ("UDP", "TCP", "large TCP")


@dataclass(frozen=True, slots=True)
class Damage:
    """One culprit: which protocols arrive damaged, and the sender's devices by name."""

    culprit: Blame
    protocols: str
    tunnel: str
    nic: str
    evidence: tuple[Evidence, ...]

    def finding(self, title: str, fix: Fix) -> Finding:
        """The finding about it."""
        return Finding(
            title=title,
            confidence=Confidence.CERTAIN,
            evidence=self.evidence,
            subjects=self.culprit.subjects,
            scope=self.culprit.words,
            paths=self.culprit.pairs,
            fix=fix,
        )


def damages(
    tested: set[Pair],
    failing: dict[Pair, Split],
    transport: PerNode[TransportProbes],
    interfaces: PerNode[Interfaces] | None,
    nodes: Nodes,
) -> Iterator[Damage]:
    """Culprits of the directions whose receiver threw packets away for their checksum."""
    harmed = transport_split.damage(failing, transport)
    for culprit in blame(harmed, tested | {p[::-1] for p in tested}):
        views = {p: failing[p] for way in culprit.pairs for p in (way, way[::-1]) if p in failing}
        kinds = [k for k in PROTOCOLS if any(k in v.protocols for v in views.values())]
        senders = {a for a, _ in culprit.pairs}
        ways = culprit.pairs[:SHOWN]
        yield Damage(
            culprit,
            " and ".join(kinds),
            *transport_split.names_of(senders, interfaces, nodes),
            evidence=(
                *(Evidence(f"to {p[1]} ({v.text})", p[0]) for p, v in list(views.items())[:SHOWN]),
                *(transport_split.wrong_checksums(way, harmed[way]) for way in ways),
                *transport_split.offloads(senders, interfaces, nodes),
            ),
        )
