"""What UDP and TCP between agents say of each direction: how many left, and how many arrived."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import PerNode
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.transport import TransportPath, TransportProbes, TransportRole

DAMAGE = ("Udp.InCsumErrors", "Udp6.InCsumErrors", "Tcp.InCsumErrors")
_NO_ROOM = ("Udp.RcvbufErrors",)


@dataclass(frozen=True, slots=True)
class Way:
    """UDP packets from one node to another: its questions, and its answers to the other's."""

    sent: int
    lost: int

    @property
    def share(self) -> float:
        """Loss, 0 to 1."""
        return self.lost / self.sent if self.sent else 0.0


def ways(
    probes: PerNode[TransportProbes] | None, nodes: Nodes, role: TransportRole = "node"
) -> dict[Pair, Way]:
    """Directed pairs of Ready nodes on which packets were counted at both ends.

    A direction whose receiver threw packets away itself, for want of room or because of their
    checksum, is left out: that is no loss on the way.
    """
    found: dict[Pair, Way] = {}
    for here, fact in probes.items() if probes else ():
        for path in fact.items:
            machine = nodes.named(path.peer)
            if path.role != role or machine is None or not machine.ready or not path.udp.spanned:
                continue
            udp = path.udp
            _add(found, (here, path.peer), udp.spanned, udp.lost_there)
            _add(found, (path.peer, here), udp.arrived, udp.lost_back)
    return {p: w for p, w in found.items() if not _lost_at_end(probes, p[1])}


def _add(found: dict[Pair, Way], pair: Pair, sent: int, lost: int) -> None:
    before = found.get(pair, Way(0, 0))
    found[pair] = Way(before.sent + sent, before.lost + lost)


def _lost_at_end(probes: PerNode[TransportProbes] | None, name: str) -> bool:
    fact = probes.get(name) if probes else None
    return fact is not None and (
        fact.dropped > 0 or any(fact.deltas.get(c) for c in (*_NO_ROOM, *DAMAGE))
    )


def damaged(fact: TransportProbes | None) -> dict[str, int]:
    """Packets that a node threw away because of their checksum, by counter."""
    return {c: fact.deltas[c] for c in DAMAGE if fact.deltas.get(c)} if fact else {}


def heard_from(
    probes: PerNode[TransportProbes] | None, nodes: Nodes, pair: Pair, role: TransportRole = "node"
) -> int | None:
    """Questions of the first node that came in at the second by that path; None: not known."""
    fact = probes.get(pair[1]) if probes else None
    machine = nodes.named(pair[0])
    if fact is None or machine is None or fact.to(pair[0], role) is None:
        return None
    inner = overlay.tunnel_address(machine)
    own = machine.internal_ips if role == "node" else (inner,)
    return sum(h.questions for h in fact.heard if h.source in own)


def udp_passes(path: TransportPath) -> bool:
    """Whether UDP was answered."""
    return path.udp.received > 0


def tcp_passes(path: TransportPath) -> bool:
    """Whether a connection was opened and all of the upload arrived."""
    return path.tcp.connected > 0 and path.tcp.ending == "done"
