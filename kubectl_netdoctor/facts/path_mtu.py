"""Which sizes of IP packet pass between nodes without being cut: echo requests that carry DF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import fact

MtuRole = Literal["node", "overlay"]

LOCAL = "message-too-long"
TOO_BIG = "packet-too-big"


@dataclass(frozen=True, slots=True)
class SizeProbe:
    """Echo requests of one size: bytes of the whole IP packet.

    `errors` counts what came instead of an answer: `timeout` (silence), `packet-too-big` (a router's
    ICMP 3/4), `message-too-long` (this machine's own EMSGSIZE: the packet never left), or as in
    PathProbe.
    """

    size: int
    sent: int
    received: int
    errors: dict[str, int]

    @property
    def silent(self) -> int:
        """Probes that neither an answer nor any error came back for."""
        return self.errors.get("timeout", 0)


@dataclass(frozen=True, slots=True)
class TooBig:
    """One ICMP "fragmentation needed and DF set", RFC 1191; `mtu` 0: its sender named none."""

    reporter: str
    size: int
    mtu: int


@dataclass(frozen=True, slots=True)
class PathMtu:
    """Sizes that were tried to one address, ascending.

    `route_mtu`: of the route that the kernel takes, set by hand or learned from a router; None
    where the device's is in force. `fragmented`: a packet larger than the device's MTU, sent
    without DF, so that it leaves in fragments; None where that was not tried.
    """

    peer: str
    role: MtuRole
    address: str
    device: str
    device_mtu: int
    route_mtu: int | None
    gateway: str | None
    sizes: tuple[SizeProbe, ...]
    too_big: tuple[TooBig, ...]
    fragmented: SizeProbe | None

    @property
    def allowed(self) -> int:
        """The largest packet that the kernel itself would send there."""
        return min(self.device_mtu, self.route_mtu or self.device_mtu)

    @property
    def passes(self) -> int | None:
        """The largest size that was answered."""
        return max((s.size for s in self.sizes if s.received), default=None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """The largest echo request of another node's same measurement that came in from an address."""

    source: str
    size: int


@fact("path_mtu")
@dataclass(frozen=True, slots=True)
class PathMtus:
    """All paths of the node's own network namespace, and what came in from others meanwhile."""

    items: tuple[PathMtu, ...]
    arrivals: tuple[Arrival, ...]
