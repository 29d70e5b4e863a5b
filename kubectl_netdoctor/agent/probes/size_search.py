"""Finding the largest size that passes: few packets where all is well, bounded where it is not.

A size is given up only after three silent tries, and the verdict is made at the end, from every
answer that came: the search only decides what is worth asking.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.probes.sized_echo import SMALLEST
from kubectl_netdoctor.agent.probes.tally import Tally

TRIES = 3
MOST_ROUNDS = 8  # of narrowing; three are the rule
LADDER = (
    576, 1000, 1200, 1280, 1300, 1350, 1380, 1400, 1410, 1420, 1430, 1440, 1450, 1460, 1472, 1480,
    1492, 1500, 2000, 4000, 8000, 8900, 8950, 8980,
)  # fmt: skip
OVERHEADS = (50, 20, 60, 70)  # VXLAN, IPIP, WireGuard, VXLAN over IPv6: guesses, tried before rungs
_STEPS = 8  # sizes of one round between two rungs
_PATIENT = 4  # round trips that a try is waited for, before the next one leaves
_LEAST_PATIENCE = 0.05


@dataclass(slots=True)
class Way:
    """One address, and what became of every size that was tried to it."""

    address: str
    top: int
    sizes: dict[int, Tally] = field(default_factory=dict)
    too_big: dict[tuple[str, int], int] = field(default_factory=dict)
    slowest: float = 0.0  # round trip, in seconds
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def low(self) -> int:
        """The largest size that was answered, 0 for none."""
        return max((size for size, tally in self.sizes.items() if tally.received), default=0)

    @property
    def high(self) -> int:
        """The smallest size above it that was not."""
        low = self.low
        return min((size for size in self.sizes if size > low), default=self.top)

    def settled(self, size: int) -> bool:
        """Whether an answer or an error has come for that size."""
        tally = self.sizes.get(size)
        return tally is not None and bool(tally.received or tally.errors)

    async def wait(self, done: Callable[[], bool], seconds: float) -> None:
        """Wait until that is so, or the time is over."""
        end = time.monotonic() + seconds
        while not done() and (left := end - time.monotonic()) > 0:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), left)
            except TimeoutError:
                return


Send = Callable[[Way, int], Awaitable[bool]]
"""Sends one packet of a size, when it is its turn; False when nothing more may be sent."""


@dataclass(slots=True)
class Search:
    """The search on all ways of one node; what one finds is the next one's first guess."""

    send: Send
    timeout: float
    limits: list[int] = field(default_factory=list)
    scout: asyncio.Event | None = None

    async def run(self, way: Way, below: Way | None, first: asyncio.Event | None) -> None:
        """Search one way; `below` is the underlay of an overlay's way, `first` when that is done."""
        await self.settle(way, (way.top,), 1)
        if way.low < way.top:
            await self.settle(way, (SMALLEST, way.top), TRIES - 1)
        if not SMALLEST <= way.low < way.top:
            return
        if first is not None:
            await first.wait()
        if below is None and self.scout is None:
            self.scout = asyncio.Event()
            try:
                await self._find(way, ())
            finally:
                self.scout.set()
        else:
            if below is None and self.scout is not None:
                await self.scout.wait()
            known = [below.low] if below is not None and below.low < below.top else []
            inside = [limit - over for limit in known for over in OVERHEADS]
            await self._find(way, dict.fromkeys((*inside, *self.limits)))
        if way.low not in self.limits:
            self.limits.append(way.low)

    async def confirm(self, way: Way, end: float) -> None:
        """Try the largest that passes and the next byte again, side by side, until `end`."""
        if not SMALLEST <= way.low < way.top or self._refused(way, way.low + 1):
            return
        low = way.low
        for left in range(TRIES, 0, -1):
            if not (await self.send(way, low) and await self.send(way, low + 1)):
                return
            await asyncio.sleep(max(self.patience(way), (end - time.monotonic()) / left))

    async def settle(self, way: Way, sizes: Iterable[int], tries: int) -> None:
        """Try each of the sizes until something comes back, at most so often."""
        wanted = [size for size in dict.fromkeys(sizes) if size <= way.top]
        for _ in range(tries):
            missing = [size for size in wanted if not way.settled(size)]
            for size in missing:
                if not await self.send(way, size):
                    return
            if missing:
                await way.wait(lambda: all(map(way.settled, wanted)), self.patience(way))

    def patience(self, way: Way) -> float:
        """How long the answer to one try is waited for; a later one still counts in the end."""
        if not way.slowest:
            return self.timeout / (TRIES + 1)
        return min(self.timeout, max(_LEAST_PATIENCE, way.slowest * _PATIENT))

    async def _find(self, way: Way, guesses: Iterable[int]) -> None:
        """Narrow down to the byte: what routers ask for, guesses, common sizes, then all between."""
        asked = sorted(mtu for _, mtu in way.too_big if mtu)
        for guess in (*asked, *guesses):
            if way.low < way.high - 1 and way.low <= guess < way.high:
                await self.settle(way, (guess,), TRIES)
                if way.low == guess:
                    await self.settle(way, (guess + 1,), TRIES)
        await self._lift(way, [size for size in LADDER if way.low < size < way.high])
        for _ in range(MOST_ROUNDS):
            low, high = way.low, way.high
            if high - low <= 1:
                return
            step = max(1, (high - low) // (_STEPS + 1))
            await self._lift(way, list(range(low + step, high, step))[: _STEPS + 1])

    async def _lift(self, way: Way, sizes: list[int]) -> None:
        """Try all sizes once, then the first that nothing came back for as often as it needs."""
        if way.high - way.low <= 1:
            return
        await self.settle(way, sizes, 1)
        while (high := way.high) in sizes and not way.settled(high):
            await self.settle(way, (high,), TRIES - 1)
            if not way.settled(high):
                return

    def _refused(self, way: Way, size: int) -> bool:
        tally = way.sizes.get(size)
        return tally is not None and bool(tally.errors)
