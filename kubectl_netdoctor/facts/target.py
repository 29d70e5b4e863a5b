"""What probes of the places that the user named saw, from the node and from a pod of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import fact
from kubectl_netdoctor.facts.pod_probe import Vantage


@dataclass(frozen=True, slots=True)
class TargetProbe:
    """Probes of one target from one vantage; `errors` has the keys of PathProbe.

    A name is looked up first, its A records, then its AAAA ones: `server` is whom the vantage asks
    (the node's resolver, or the cluster's DNS), None where the target is an address. `lookup` is
    what came instead of an address (an rcode, `no-address`, or an error as in PathProbe), None where
    there was one.
    """

    vantage: Vantage
    host: str
    port: int | None
    server: str | None
    lookup_ms: float | None
    lookup: str | None
    address: str | None
    protocol: Literal["icmp", "tcp"]
    sent: int
    received: int
    rtt_ms: tuple[float, ...]
    errors: dict[str, int]


@fact("target_probes")
@dataclass(frozen=True, slots=True)
class TargetProbes:
    """All targets of --target; none: none were named. `inside`: why there is no pod's vantage."""

    window_seconds: float
    inside: str | None
    items: tuple[TargetProbe, ...]
