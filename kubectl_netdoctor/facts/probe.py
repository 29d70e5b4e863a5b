"""What active probes from one node saw. Loss and errors are counted, never averaged away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import fact

PathRole = Literal["node", "overlay", "api-server", "api-service"]
PathProtocol = Literal["icmp", "arp", "tcp"]


@dataclass(frozen=True, slots=True)
class PathProbe:
    """Probes of one protocol to one address.

    `errors` counts what came instead of an answer: `timeout` (silence), `refused` (RST),
    `host-unreachable`, `net-unreachable`, `port-unreachable`, `admin-prohibited` (ICMP, RFC 792 and
    RFC 1812), `no-route`, `neighbour-failed`, `not-permitted` (local firewall, EPERM),
    `message-too-long` (local EMSGSIZE), or the errno name.
    """

    peer: str | None  # node name
    role: PathRole
    protocol: PathProtocol
    address: str
    port: int | None
    sent: int
    received: int
    rtt_ms: tuple[float, ...]
    errors: dict[str, int]

    @property
    def lost(self) -> int:
        """Probes without an answer."""
        return self.sent - self.received


@fact("path_probes")
@dataclass(frozen=True, slots=True)
class PathProbes:
    """All path probes of the node's own network namespace."""

    window_seconds: float
    items: tuple[PathProbe, ...]


DnsRole = Literal["service", "endpoint", "upstream", "node-resolver"]
DnsTransport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class DnsProbe:
    """Queries of one kind to one server; `rcodes` counts answers by rcode (RFC 6895 names).

    An answer of any rcode is an answer; `errors` has the same keys as in PathProbe, and over TCP
    `stalled`: the connection was there, and no answer came in time.
    """

    server: str
    port: int
    role: DnsRole
    transport: DnsTransport
    name: str
    type: str
    sent: int
    answered: int
    rcodes: dict[str, int]
    rtt_ms: tuple[float, ...]
    errors: dict[str, int]


@fact("dns_probes")
@dataclass(frozen=True, slots=True)
class DnsProbes:
    """All DNS probes of the node's own network namespace."""

    window_seconds: float
    items: tuple[DnsProbe, ...]
