"""What became of the probes to one target: each is an answer or an error, none is lost unseen."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

TIMEOUT = "timeout"


@dataclass(slots=True)
class Tally:
    """Counts of one target; `sent == received + sum(errors)` once nothing is open."""

    sent: int = 0
    received: int = 0
    rtt_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def answered(self, nanoseconds: int) -> None:
        """Count an answer and how long it took."""
        self.received += 1
        self.rtt_ms.append(round(max(0, nanoseconds) / 1e6, 3))

    def failed(self, error: str) -> None:
        """Count what came instead of an answer."""
        self.errors[error] += 1

    def rename(self, old: str, new: str) -> None:
        """Count errors under a better name, once it is known."""
        if count := self.errors.pop(old, 0):
            self.errors[new] += count


@dataclass(slots=True)
class Flight:
    """Probes that are on their way to one target, by sequence number, with their send times."""

    tally: Tally
    open: dict[int, int] = field(default_factory=dict)
    landed: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, sequence: int, now: int) -> None:
        """A probe left at `now`, in nanoseconds of any clock."""
        self.tally.sent += 1
        self.open[sequence] = now

    def fail_at_once(self, sequence: int, error: str) -> None:
        """The probe did not leave this machine."""
        self.open.pop(sequence, None)
        self.tally.failed(error)

    def answer(self, sequence: int, now: int, timeout_ns: int) -> None:
        """An answer came; one that took longer than the timeout counts as silence."""
        started = self.open.pop(sequence, None)
        if started is None:
            return  # a duplicate
        if now - started <= timeout_ns:
            self.tally.answered(now - started)
        else:
            self.tally.failed(TIMEOUT)
        self._check()

    def error(self, sequence: int, name: str) -> None:
        """An error came instead of an answer."""
        if self.open.pop(sequence, None) is not None:
            self.tally.failed(name)
            self._check()

    async def land(self, seconds: float) -> None:
        """Wait until nothing is open or the time is over; what is open then is silence."""
        if self.open:
            self.landed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.landed.wait(), seconds)
        for _ in self.open:
            self.tally.failed(TIMEOUT)
        self.open.clear()

    def _check(self) -> None:
        if not self.open:
            self.landed.set()
