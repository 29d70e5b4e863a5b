"""How far each node's clock is from the others', from packets that two nodes saw and timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from kubectl_netdoctor.facts.hops import Hops, Sighting

TOLERANCE = 5.0  # seconds: a packet's time is when it was read, which is late on a busy node
LEAST = 2  # other nodes whose clock is compared; one alone does not say which of both is wrong

Packet = tuple[str, str, str, str, bool, str, str, int]


def clocks(hops: Mapping[str, Hops]) -> dict[str, str]:
    """`in step`, or the seconds that a node is ahead of (+) or behind (-) the middle of the others."""
    apart: dict[str, dict[str, list[float]]] = {}
    out = {packet: (name, seen) for name, packet, seen in _seen(hops, "out")}
    for name, packet, seen in _seen(hops, "in"):
        sender, sent = out.get(packet, (name, seen))
        if sender != name:
            apart.setdefault(name, {}).setdefault(sender, []).append(seen - sent)
            apart.setdefault(sender, {}).setdefault(name, []).append(sent - seen)
    return {
        name: _words(median([0.0, *map(median, others.values())]))
        for name, others in sorted(apart.items())
        if len(others) >= LEAST
    }


def _seen(hops: Mapping[str, Hops], way: str) -> Iterator[tuple[str, Packet, float]]:
    """The last packet of each flow between nodes, as a NIC saw it."""
    for name, fact in hops.items():
        for s in fact.sightings:
            plain = s.role == "nic" and s.kind == "node" and s.wrap == "none"
            if plain and s.way == way and (last := _last(s)):
                flow = (s.sender, s.receiver, s.kind, s.protocol, s.answer, s.source)
                yield name, (*flow, s.destination, last), s.last


def _last(sighting: Sighting) -> int:
    """The highest sequence number; 0 where a damaged file has no digits there."""
    try:
        return int(sighting.sequences, 16).bit_length()
    except ValueError:
        return 0


def _words(offset: float) -> str:
    return "in step" if abs(offset) <= TOLERANCE else f"{offset:+.0f} s"
