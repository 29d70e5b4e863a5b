"""Counts what captures saw, in bounds."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.kept import Kept
from kubectl_netdoctor.agent.probes.frame import Seen, address, parse
from kubectl_netdoctor.agent.probes.taps import OTHERHOST, OUTGOING, Listener
from kubectl_netdoctor.facts.hops import Sighting

MOST_PACKETS = 60_000  # of one node and run: what comes beyond is counted and not looked at
MOST_ROWS = 4096
MOST_SEQUENCES = 4096  # bits of one row


@dataclass(slots=True)
class _Row:
    packets: int = 0
    foreign: int = 0
    largest: int = 0
    sequences: int = 0
    first: float = 0.0
    last: float = 0.0


_Key = tuple[Listener, bool, Seen]


@dataclass(slots=True)
class Book:
    """All sightings of one node."""

    magic: bytes
    kept: Kept | None = None
    rows: dict[tuple[object, ...], tuple[_Key, _Row]] = field(default_factory=dict)
    packets: int = 0
    truncated: int = 0

    def drain(self, listeners: Iterable[Listener]) -> None:
        """Take every packet that waits."""
        now = round(time.time(), 2)
        for one in tuple(listeners):
            for data, source, at in one.packets():
                leaves, foreign = source[2] == OUTGOING, source[2] == OTHERHOST
                number = self.take(one, data, leaves=leaves, foreign=foreign, now=now)
                if number and self.kept is not None:
                    self.kept.offer(one.role, number, data, source, at)

    def take(self, tap: Listener, data: bytes, *, leaves: bool, foreign: bool, now: float) -> int:
        """Count one packet: the how many-th of its row it is, 0 for one that is not looked at."""
        self.packets += 1
        seen = parse(data, self.magic) if self.packets <= MOST_PACKETS else None
        if seen is None:
            self.truncated += self.packets > MOST_PACKETS
            return 0
        key = (
            tap.interface, tap.role, leaves, seen.mark, seen.protocol, seen.answer,
            seen.source, seen.destination, seen.wrap, seen.outer,
        )  # fmt: skip
        known = self.rows.get(key)
        if known is None:
            if len(self.rows) >= MOST_ROWS:
                self.truncated += 1
                return 0
            known = self.rows[key] = ((tap, leaves, seen), _Row())
        row = known[1]
        row.packets += 1
        row.first = row.first or now
        row.last = now
        row.foreign += foreign
        row.largest = max(row.largest, seen.size)
        if seen.sequence < MOST_SEQUENCES:
            row.sequences |= 1 << seen.sequence
        return row.packets

    def facts(self) -> tuple[Sighting, ...]:
        """The wire form, in a fixed order."""
        found = [_fact(*key, row) for key, row in self.rows.values()]
        found.sort(key=lambda s: (s.sender, s.receiver, s.kind, s.answer, s.interface, s.way))
        return tuple(found)


def _fact(tap: Listener, leaves: bool, seen: Seen, row: _Row) -> Sighting:
    return Sighting(
        interface=tap.interface,
        role=tap.role,
        way="out" if leaves else "in",
        wrap=seen.wrap,
        outer=address(seen.outer) if seen.outer else None,
        source=address(seen.source),
        destination=address(seen.destination),
        sender=seen.mark.sender,
        receiver=seen.mark.receiver,
        kind=seen.mark.kind,
        protocol=seen.protocol,
        answer=seen.answer,
        packets=row.packets,
        foreign=row.foreign,
        largest=row.largest,
        sequences=f"{row.sequences:x}",
        first=row.first,
        last=row.last,
    )
