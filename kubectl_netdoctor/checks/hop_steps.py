"""The interfaces that probes pass on a node, in order, and what was seen on each of them.

The order is that of the roles which the node itself found for its interfaces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Literal

from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.facts.hops import (
    TAP_ORDER,
    Hops,
    ProbeKind,
    Sighting,
    Tap,
    TapRole,
    place_of,
)

Protocol = Literal["icmp", "udp"]

_POD: frozenset[TapRole] = frozenset(("pod", "port", "bridge"))
_FAR: frozenset[TapRole] = frozenset(("inner", "tunnel", "nic"))
_NIC: frozenset[TapRole] = frozenset(("nic",))
_ROLES: dict[ProbeKind, tuple[frozenset[TapRole], frozenset[TapRole]]] = {
    # Of the sender, and of the receiver.
    "node": (_NIC, _NIC),
    "node-size": (_NIC, _NIC),
    "overlay": (_FAR, _FAR),
    "overlay-size": (_FAR, _FAR),
    "pod": (_POD | _FAR, _POD | _FAR),
    "pod-overlay": (_POD | _FAR, _FAR),
    "pod-node": (_POD | _NIC, _NIC),
    "node-pod": (_FAR, _POD | _FAR),
}
_PACED: tuple[frozenset[ProbeKind], ...] = (
    # Kinds whose sequence numbers run side by side in time.
    frozenset(("node", "overlay")),
    frozenset(("pod", "pod-overlay", "pod-node", "node-pod")),
    frozenset(("node-size", "overlay-size")),
)
_LEAVES_BY_IN = ("port", "bridge")  # what comes from a pod comes in there
_OVERLAP = 0.5  # part of what was sent that the receiver must have listened for
_SKEW = 0.3  # seconds that two nodes' clocks may differ, and that reading may be late
_ENOUGH = 3  # packets; fewer prove nothing


def bits(sighting: Sighting) -> int:
    """A bit for each sequence number; none where a damaged file has no digits there."""
    try:
        return int(sighting.sequences, 16)
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True)
class Step:
    """One interface that the packets pass, and those that were seen there, a bit for each."""

    node: str
    tap: Tap
    way: Literal["in", "out"]
    answer: bool
    seen: int
    largest: int
    foreign: bool  # all of them were addressed to another MAC
    around: str  # `VXLAN to 192.0.2.13`, empty where nothing is

    @property
    def name(self) -> str:
        """Node and interface."""
        return f"{self.node} {self.interface}"

    @property
    def blind(self) -> str | None:
        """Why what was not seen here proves nothing; None where it does."""
        if self.tap.missing is not None:
            return self.tap.missing.detail
        return f"{self.tap.dropped} packets too many to look at" if self.tap.dropped else None

    @property
    def interface(self) -> str:
        """The interface; the pod's own one often has the name of one of the node."""
        inside = "pod " if self.tap.role == "pod" else ""
        return inside + self.tap.interface


@dataclass(frozen=True, slots=True)
class Steps:
    """What is common to all steps of one ledger; what it is asked of has passed own()."""

    pair: Pair
    kind: ProbeKind
    protocol: Protocol

    def own(self, fact: Hops) -> Hops:
        """A node's capture with the packets of this pair only: the others are many."""
        ends = (place_of(self.pair[0]), place_of(self.pair[1]))
        rows = tuple(s for s in fact.sightings if (s.sender, s.receiver) == ends)
        return dataclasses.replace(fact, sightings=rows)

    def leaving(self, node: str, peer: str, fact: Hops, *, answer: bool) -> Iterator[Step]:
        """Steps on the way out of a node, from the inside."""
        for tap in self._taps(node, peer, fact):
            way: Literal["in", "out"] = "in" if tap.role in _LEAVES_BY_IN else "out"
            yield self._step(node, tap, way, fact, answer=answer)

    def entering(self, node: str, peer: str, fact: Hops, *, answer: bool) -> Iterator[Step]:
        """Steps on the way into a node, from the outside."""
        for tap in reversed(self._taps(node, peer, fact)):
            way: Literal["in", "out"] = "out" if tap.role in _LEAVES_BY_IN else "in"
            yield self._step(node, tap, way, fact, answer=answer)

    def _taps(self, node: str, peer: str, fact: Hops) -> list[Tap]:
        """Interfaces on the way to a peer, from the inside out."""
        roles = _ROLES[self.kind][0 if node == self.pair[0] else 1]
        if self.pair[0] == self.pair[1]:
            roles = _POD
        taps = sorted(
            (t for t in fact.taps if t.role in roles), key=lambda t: TAP_ORDER.index(t.role)
        )
        nic = {w.device for w in fact.ways if w.peer == peer and w.kind == "node"}
        over = {w.device for w in fact.ways if w.peer == peer and w.kind == "overlay"}
        tunnels = {t.interface for t in taps if t.role == "tunnel"}
        passed = {t.interface for t in taps if self._rows(fact, t, None, None)}
        return [
            t
            for t in taps
            if t.interface in passed
            or (t.role == "nic" and (not nic or t.interface in nic))
            or (t.role == "tunnel" and (not over & tunnels or t.interface in over))
            or (t.role == "inner" and t.interface in over)
            or t.role in _POD
        ]

    def _rows(self, fact: Hops, tap: Tap, way: str | None, answer: bool | None) -> list[Sighting]:
        return [
            s
            for s in fact.sightings
            if s.interface == tap.interface
            and s.role == tap.role
            and s.kind == self.kind
            and s.protocol == self.protocol
            and way in (None, s.way)
            and answer in (None, s.answer)
        ]

    def _step(
        self, node: str, tap: Tap, way: Literal["in", "out"], fact: Hops, *, answer: bool
    ) -> Step:
        rows = self._rows(fact, tap, way, answer)
        return Step(
            node=node,
            tap=tap,
            way=way,
            answer=answer,
            seen=reduce(int.__or__, (bits(s) for s in rows), 0),
            largest=max((s.largest for s in rows), default=0),
            foreign=bool(rows) and all(s.foreign == s.packets for s in rows),
            around=", ".join(
                dict.fromkeys(f"{s.wrap.upper()} to {s.outer}" for s in rows if s.outer)
            ),
        )

    def common(self, here: Hops, there: Hops) -> int | None:
        """Sequence numbers in whose time both nodes listened; None where there is no such time.

        Agents do not start at the same moment. What arrived from the sender, of any kind that is sent
        at the same pace, says when the receiver listened; if nothing arrived, the clocks must do.
        """
        beside = next((group for group in _PACED if self.kind in group), frozenset())
        if self.protocol != "icmp":
            beside = frozenset()
        seen = 0
        for row in there.sightings:
            if row.kind in beside and row.way == "in":
                seen |= bits(row) if row.protocol == "icmp" and not row.answer else 0
        if seen.bit_count() >= _ENOUGH:
            low, high = (seen & -seen).bit_length() - 1, seen.bit_length() - 1
            return (1 << high) - (1 << (low + 1)) if high > low + 2 else None
        return self._by_clock(here, there)

    def _by_clock(self, here: Hops, there: Hops) -> int | None:
        """The numbers that were sent while the receiver listened, if these are half of them."""
        sent = [s for t in here.taps for s in self._rows(here, t, None, answer=False) if bits(s)]
        if not sent:
            return -1
        first, last = min(s.first for s in sent), max(s.last for s in sent)
        both = reduce(int.__or__, (bits(s) for s in sent))
        low, high = (both & -both).bit_length() - 1, both.bit_length() - 1
        each = (last - first) / max(1, high - low)
        begin, end = there.started + _SKEW, there.ended - _SKEW
        numbers = [n for n in range(low, high + 1) if begin <= first + (n - low) * each <= end]
        if len(numbers) < _OVERLAP * (high - low + 1):
            return None
        return sum(1 << n for n in numbers)
