"""Which probes are under way, for those who want to see what the probes' packets have done."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Probing:
    """The probes of one run that have not ended."""

    _under_way: set[str] = field(default_factory=set)
    _change: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, key: str) -> None:
        """A probe will start."""
        with self._change:
            self._under_way.add(key)

    def end(self, key: str) -> None:
        """A probe is over, whatever became of it."""
        with self._change:
            self._under_way.discard(key)
            self._change.notify_all()

    def wait(self, until: float) -> None:
        """Return when none is under way, or at this time.monotonic()."""
        with self._change:
            self._change.wait_for(lambda: not self._under_way, max(0.0, until - time.monotonic()))
