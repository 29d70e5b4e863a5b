"""Which marked probes were seen on which interface of a node: one side of the hop ledger."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import Missing, fact

TapRole = Literal["pod", "port", "bridge", "inner", "tunnel", "nic"]
"""Why an interface is on the way: the pod's own end, the node's end of it, the bridge of pods, a
device that the kernel routes the overlay's addresses to, a tunnel, the NIC towards other nodes."""
TAP_ORDER: tuple[TapRole, ...] = ("pod", "port", "bridge", "inner", "tunnel", "nic")
"""As a packet meets them on its way out of a node."""

ProbeKind = Literal[
    "node", "overlay", "pod", "pod-overlay", "pod-node", "node-pod", "node-size", "overlay-size"
]
PROBE_KINDS: tuple[ProbeKind, ...] = (
    "node", "overlay", "pod", "pod-overlay", "pod-node", "node-pod", "node-size", "overlay-size",
)  # fmt: skip
"""Where a probe starts and ends; the order is on the wire, so new ones come last."""

Wrap = Literal["none", "vxlan", "geneve", "ipip"]
PLACE_BYTES = 3


def place_of(node: str) -> str:
    """What a node is called in a mark: hexadecimal digits."""
    said = f"place {node}".encode(errors="backslashreplace")  # a file may have lone surrogates
    return hashlib.sha256(said).hexdigest()[: 2 * PLACE_BYTES]


@dataclass(frozen=True, slots=True)
class Tap:
    """One interface that was listened on; `missing` says why it was not, or not all the time.

    `dropped`: packets that the listener itself lost.
    """

    interface: str
    role: TapRole
    missing: Missing | None
    dropped: int


@dataclass(frozen=True, slots=True)
class WayOut:
    """The device that the kernel routes a peer's address to; None: it has no route."""

    peer: str
    kind: Literal["node", "overlay", "pod"]
    address: str
    device: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """Marked packets of one flow on one interface in one direction, equal in all that is named.

    `sender`, `receiver`: place_of() the nodes that the probe, not its answer, goes from and to.
    `way`: `out` as the kernel hands it to the device, `in` as it comes from there, before any
    filter. `source`, `destination`: of the inner packet. `outer`: the destination of the packet
    around it. `foreign`: addressed to another MAC. `largest`: bytes of the inner IP packet.
    `sequences`: a bit for each sequence number seen, hexadecimal. `first`, `last`: when the first and
    the last one were read, by the node's clock (Unix), to about a tenth of a second.
    """

    interface: str
    role: TapRole
    way: Literal["in", "out"]
    wrap: Wrap
    outer: str | None
    source: str
    destination: str
    sender: str
    receiver: str
    kind: ProbeKind
    protocol: Literal["icmp", "udp"]
    answer: bool
    packets: int
    foreign: int
    largest: int
    sequences: str
    first: float
    last: float


@fact("hops")
@dataclass(frozen=True, slots=True)
class Hops:
    """All sightings of this run's probes, from `started` to `ended` by the node's clock (Unix)."""

    started: float
    ended: float
    taps: tuple[Tap, ...]
    ways: tuple[WayOut, ...]
    sightings: tuple[Sighting, ...]
    truncated: int  # packets that the bounds cut off
