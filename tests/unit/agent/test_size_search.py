"""The search for the largest size that passes, against paths that are made up."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

import pytest

from kubectl_netdoctor.agent.probes import size_ruler
from kubectl_netdoctor.agent.probes.size_ruler import Ruler
from kubectl_netdoctor.agent.probes.size_search import Search, Way
from kubectl_netdoctor.agent.probes.sized_echo import Reply, Request, message, read, whole
from kubectl_netdoctor.agent.probes.tally import Tally
from kubectl_netdoctor.facts import budget

TOKEN = b"12345678"


@dataclass
class MadeUp:
    """A path that lets packets pass up to a size, tells of larger ones or not, and loses some."""

    limit: int
    told: int | None = None
    loss: float = 0.0
    sent: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    async def send(self, way: Way, size: int) -> bool:
        """What becomes of one packet, at once."""
        self.sent += 1
        tally = way.sizes.setdefault(size, Tally())
        tally.sent += 1
        if size <= self.limit and self.chance.random() >= self.loss:
            tally.answered(1000)
            way.slowest = 1e-6
        elif size > self.limit and self.told:
            tally.failed("packet-too-big")
            way.too_big["router", self.told] = size
        await asyncio.sleep(0)
        return True


def searched(path: MadeUp, top: int = 1500) -> Way:
    """A way after its search."""
    way = Way("10.0.0.1", top)

    async def run() -> None:
        search = Search(path.send, 0.01)
        await search.run(way, None, None)
        await search.confirm(way, time.monotonic())

    asyncio.run(run())
    return way


@pytest.mark.parametrize("limit", [84, 85, 575, 576, 577, 999, 1333, 1399, 1400, 1404, 1498, 1499])
@pytest.mark.parametrize("top", [1500, 9000])
def test_silence_is_narrowed_to_the_byte(limit: int, top: int) -> None:
    """Whatever the limit is, in a bounded number of packets."""
    path = MadeUp(limit)
    way = searched(path, top)
    assert (way.low, way.high) == (limit, limit + 1)
    assert path.sent < 90
    assert way.sizes[limit + 1].sent >= 6


@pytest.mark.parametrize("limit", [1500, 9000])
def test_what_passes_costs_one_packet(limit: int) -> None:
    """The device's own MTU comes first."""
    path = MadeUp(limit)
    assert searched(path).low == 1500
    assert path.sent == 1


def test_a_router_that_names_the_size_is_believed_and_checked() -> None:
    """Its size passes, one byte more does not: no ladder."""
    path = MadeUp(1400, told=1400)
    assert searched(path).low == 1400
    assert path.sent <= 5


@pytest.mark.parametrize("told", [1, 1450, 65000])
def test_a_router_that_lies_is_not(told: int) -> None:
    """What it says is only a guess."""
    assert searched(MadeUp(1400, told=told)).low == 1400


def test_a_silent_peer_costs_five_packets() -> None:
    """Nothing passes at all: no search."""
    path = MadeUp(0)
    assert searched(path).low == 0
    assert path.sent == 5


def test_an_overlay_is_guessed_from_its_underlay() -> None:
    """The underlay's limit minus the encapsulation, without a ladder."""
    inner, outer = MadeUp(1354), MadeUp(1404)

    async def run() -> tuple[Way, Way]:
        below, way = Way("10.0.0.1", 1500), Way("10.1.0.1", 1450)
        done = asyncio.Event()
        search = Search(outer.send, 0.01)
        overlay = Search(inner.send, 0.01)
        await search.run(below, None, None)
        done.set()
        await overlay.run(way, below, done)
        return below, way

    below, way = asyncio.run(run())
    assert (below.low, way.low, way.high) == (1404, 1354, 1355)
    assert inner.sent <= 10


def test_the_second_path_takes_the_first_ones_answer() -> None:
    """Every way of a node mostly has the same limit."""
    path = MadeUp(1404)

    async def run() -> list[Way]:
        search = Search(path.send, 0.01)
        ways = [Way(f"10.0.0.{n}", 1500) for n in range(5)]
        await asyncio.gather(*(search.run(way, None, None) for way in ways))
        return ways

    assert {way.low for way in asyncio.run(run())} == {1404}
    assert path.sent < 130


def test_packets_are_read_as_they_are_written() -> None:
    """A packet of every kind of size is that long, and comes back as a request of that size."""
    for size in (84, 85, 1400, 9000):
        packet = whole("10.0.0.1", size, 7, 3, TOKEN)
        assert len(packet) == size
        assert packet[20:] == message(size, 7, 3, TOKEN)
        assert _sum(packet[20:]) == 0xFFFF
        on_wire = packet[:2] + size.to_bytes(2, "big") + packet[4:]
        assert read(on_wire, "10.0.0.9", 7, TOKEN) == Request("10.0.0.9", size)
        assert read(on_wire, "10.0.0.9", 7, b"another.") is None


def test_answers_and_errors_are_told_apart() -> None:
    """An answer, a router's error with the size it asks for, and the packets of others."""
    packet = whole("10.0.0.1", 100, 7, 3, TOKEN)
    answer = packet[:20] + b"\0" + packet[21:]
    assert read(answer, "10.0.0.1", 7, TOKEN) == Reply(3, "10.0.0.1", None, 0)
    assert read(answer, "10.0.0.1", 8, TOKEN) is None
    for quoted in (28, 36, 100):
        error = packet[:20] + bytes((3, 4, 0, 0)) + (1400).to_bytes(4, "big") + packet[:quoted]
        assert read(error, "10.9.9.9", 7, TOKEN) == Reply(3, "10.9.9.9", "message-too-long", 1400)
        assert read(error, "10.9.9.9", 8, TOKEN) is None
    for cut in range(60):
        read(answer[:cut], "10.0.0.1", 7, TOKEN)


def test_the_ruler_keeps_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more packets than the bound, and no faster than the pace."""
    monkeypatch.setattr(size_ruler, "MOST_PACKETS", 20)

    async def run() -> tuple[list[bool], float]:
        ruler = Ruler(0.1, "test")
        monkeypatch.setattr(Ruler, "_hand_over", lambda *_: None)
        start = time.monotonic()
        way = Way("10.0.0.1", 1500)
        sent = await asyncio.gather(*(ruler.send(way, 100) for _ in range(25)))
        took = time.monotonic() - start
        await ruler.land()
        assert way.sizes[100].errors == {"timeout": 20}
        return sent, took

    sent, took = asyncio.run(run())
    assert (sent.count(True), sent.count(False)) == (20, 5)
    assert took >= 19 / budget.SIZES * 0.99


def _sum(data: bytes) -> int:
    """The one's complement sum, RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[n : n + 2], "big") for n in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
