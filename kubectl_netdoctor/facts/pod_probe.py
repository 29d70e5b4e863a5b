"""What active probes saw whose one end is a pod: the companion of the node or that of a peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import fact
from kubectl_netdoctor.facts.probe import DnsProbe

Vantage = Literal["pod", "node"]
PodPathRole = Literal["companion", "overlay", "node", "api-server", "api-service"]
PodPathProtocol = Literal["icmp", "udp", "tcp"]


@dataclass(frozen=True, slots=True)
class PodPathProbe:
    """Probes of one protocol to one address. `errors` has the keys of PathProbe.

    `vantage`: sent by the companion's network namespace, or by the node's own. `peer`: the node
    whose companion, tunnel device or address this is; the node itself for its own companion.
    """

    vantage: Vantage
    peer: str | None
    role: PodPathRole
    protocol: PodPathProtocol
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


@fact("pod_probes")
@dataclass(frozen=True, slots=True)
class PodProbes:
    """Probes from the node's companion, and from the node to all companions.

    `inside` is None where they could be sent from the companion, else why not: `items` then holds
    those of the node only.
    """

    window_seconds: float
    address: str | None  # of the node's own companion
    inside: str | None
    items: tuple[PodPathProbe, ...]
    dns: tuple[DnsProbe, ...]  # from the companion
    forwarding: str | None  # net.ipv4.ip_forward of the node, before its companion was started
    forwarding_after: str | None  # and after: CNI plugins switch it on
