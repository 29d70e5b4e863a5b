"""What UDP and TCP between the agents of a run saw, node to node: on the underlay and through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import fact

HOST_PORT = 28467
"""UDP and TCP on the node's own addresses while an agent runs there.

Neither privileged nor a NodePort (30000-32767) nor ephemeral (net.ipv4.ip_local_port_range from
32768), and unassigned in IANA's list.
"""

TransportRole = Literal["node", "overlay"]
Ending = Literal["done", "stalled", "reset", "not-connected", "unfinished"]


@dataclass(frozen=True, slots=True)
class UdpPath:
    """Questions to one address of a peer whose agent answers them.

    `asked`: all of them. `sent` and `received`: those that left while the peer's agent was known to
    run, by a sign of life on any path, so that a late start and an early end are no loss.
    `spanned`: those between the first and the last one answered on this path, `arrived`: how many
    of these the peer says came in. `errors` has the keys of PathProbe, of all that were asked.
    """

    asked: int
    sent: int
    received: int
    spanned: int
    arrived: int
    rtt_ms: tuple[float, ...]
    errors: dict[str, int]

    @property
    def lost(self) -> int:
        """Questions without an answer while the peer's agent ran."""
        return self.sent - self.received

    @property
    def lost_there(self) -> int:
        """Of those spanned, what never reached the peer."""
        return max(0, self.spanned - self.arrived)

    @property
    def lost_back(self) -> int:
        """Answers of the peer, of those spanned, that never reached us."""
        return max(0, self.arrived - self.received)


@dataclass(frozen=True, slots=True)
class TcpPath:
    """Connections to one address of a peer, and one upload over the first that was opened.

    `tried` and `connected` count while the peer's agent was known to run. `ending` of the upload:
    `stalled`: no byte of it was acknowledged for `idle_seconds`; `not-connected`: there was no
    connection; `unfinished`: the agent's time was over. `acked` of `bytes` were acknowledged.
    `mss`, `pmtu` and `retransmits` are the kernel's, tcp(7) TCP_INFO, 0 where there was none.
    """

    tried: int
    connected: int
    connect_ms: tuple[float, ...]
    errors: dict[str, int]
    ending: Ending
    bytes: int
    acked: int
    seconds: float
    idle_seconds: float
    mss: int
    pmtu: int
    segments: int
    retransmits: int


@dataclass(frozen=True, slots=True)
class TransportPath:
    """One address of a peer; `answered`: whether its agent was ever heard, on any path."""

    peer: str
    role: TransportRole
    address: str
    answered: bool
    udp: UdpPath
    tcp: TcpPath


@dataclass(frozen=True, slots=True)
class Heard:
    """Questions that came in from one address of another agent of the run."""

    source: str
    questions: int


@fact("transport_probes")
@dataclass(frozen=True, slots=True)
class TransportProbes:
    """All paths of the node's own network namespace to peers whose agents run.

    `dropped`: datagrams that the kernel threw away at this agent's own sockets, for want of room
    (short damaged ones never get that far: Udp.InCsumErrors counts them). `deltas`: movement of the counters of damage and of room in
    /proc/net/snmp meanwhile; what is not listed did not move.
    """

    seconds: float
    items: tuple[TransportPath, ...]
    heard: tuple[Heard, ...]
    dropped: int
    deltas: dict[str, int]

    def to(self, peer: str, role: TransportRole) -> TransportPath | None:
        """The path to that peer."""
        return next((p for p in self.items if p.peer == peer and p.role == role), None)
