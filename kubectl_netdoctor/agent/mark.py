"""The mark that probes carry, so that captures know them anywhere: pure functions on bytes.

Eight bytes that only this run has, then what the probe is, then where it goes from and to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from kubectl_netdoctor.facts.hops import PLACE_BYTES, PROBE_KINDS, ProbeKind, place_of

MAGIC_BYTES = 8
MARK_BYTES = 16
_SIZED = {"node-size", "overlay-size"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark says; the ends are as place_of() names them."""

    kind: ProbeKind
    sender: str
    receiver: str


def magic(run: str) -> bytes:
    """The same on all nodes of a run, so that each knows the others' packets."""
    return hashlib.sha256(f"probe mark {run}".encode()).digest()[:MAGIC_BYTES]


def sized_magic(run: str) -> bytes:
    """How the marks of all sized probes begin."""
    return magic(run) + b"\x01"


def mark(run: str, kind: ProbeKind, sender: str, receiver: str) -> bytes:
    """The mark of probes from one node to another."""
    return b"".join(
        (
            sized_magic(run) if kind in _SIZED else magic(run) + b"\x00",
            bytes([PROBE_KINDS.index(kind)]),
            bytes.fromhex(place_of(sender)),
            bytes.fromhex(place_of(receiver)),
        )
    )


def read(data: bytes, begins: bytes) -> Mark | None:
    """The mark in these bytes, None where they do not begin with that magic or make no sense."""
    if len(data) < MARK_BYTES or not data.startswith(begins) or data[9] >= len(PROBE_KINDS):
        return None
    return Mark(
        PROBE_KINDS[data[9]],
        data[10 : 10 + PLACE_BYTES].hex(),
        data[10 + PLACE_BYTES : MARK_BYTES].hex(),
    )
