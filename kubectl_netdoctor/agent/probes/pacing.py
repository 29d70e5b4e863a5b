"""When probes leave: spread over the window, never more than a node and its network can bear."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

_LEAST, _MOST = 5, 20  # a second, for each target: fewer than five tell no loss
_LATE = 0.5  # part of the window that is left for probes whose libraries loaded slowly
_TAIL = 0.05  # part of the span after the last probe, so that answers still come inside it


def rate(targets: int, share: int) -> int:
    """Probes a second to each of so many targets, which share that many; five at least."""
    return max(_LEAST, min(_MOST, share // max(1, targets)))


@dataclass(frozen=True, slots=True)
class Pace:
    """The span, in seconds from time.monotonic() `start`, over which probes are spread."""

    start: float
    span: float
    window: float = 0.0  # for which probes are counted; 0: the span

    @classmethod
    def until(cls, end: float, window: float) -> Pace:
        """From now to `end`, though never less than half a window."""
        now = time.monotonic()
        return cls(now, max(end - now, window * _LATE), window)

    def count(self, per_second: int) -> int:
        """Probes to one target at that rate; at least five, or loss could not be told.

        They are counted for the whole window, also where a part of it was lost to loading a library:
        fewer would make loss harder to tell, and twice the rate for half the time is no burden.
        """
        return max(_LEAST, round(per_second * (self.window or self.span)))

    async def slots(self, count: int) -> AsyncIterator[int]:
        """Numbers from 0, each when its probe is due; every target starts at a random moment."""
        step = self.span * (1 - _TAIL) / count
        first = self.start + random.random() * step  # noqa: S311 - spreads load, hides nothing
        for number in range(count):
            await asyncio.sleep(max(0.0, first + number * step - time.monotonic()))
            yield number
