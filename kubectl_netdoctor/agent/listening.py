"""Keeps captures and the probes that they wait for together: captures are open first and last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 0.4
"""Seconds that a probe waits for captures to be open; a probe without them is better than none."""


@dataclass(slots=True)
class Listening:
    """What one run's captures and marked probes know of each other."""

    _open: threading.Event = field(default_factory=threading.Event)
    _pod_open: threading.Event = field(default_factory=threading.Event)
    _change: threading.Condition = field(default_factory=threading.Condition)
    _ended: set[str] = field(default_factory=set)

    def opened(self) -> None:
        """Captures are open, or will never be."""
        self._open.set()

    def opened_in_pod(self) -> None:
        """The same, for those on the way of the companion."""
        self._pod_open.set()

    def wait_for_pod(self, facts: tuple[str, ...]) -> None:
        """Wait until captures on the companion's way are open, not for long."""
        if "hops" in facts:
            self._pod_open.wait(PATIENCE)

    @contextmanager
    def probing(self, key: str, facts: tuple[str, ...]) -> Iterator[None]:
        """Send marked probes while this lasts: it begins when captures are open."""
        try:
            if "hops" in facts:
                self._open.wait(PATIENCE)
            yield
        finally:
            with self._change:
                self._ended.add(key)
                self._change.notify_all()

    def all_ended(self, keys: set[str]) -> bool:
        """Whether all of these have sent their last probe and waited for its answer."""
        return keys <= self._ended

    def until_ended(self, keys: set[str], latest: float, meanwhile: Callable[[], None]) -> None:
        """Do something over and over until all of these have ended, or it is so late."""
        while not self.all_ended(keys) and (left := latest - time.monotonic()) > 0:
            with self._change:
                if not keys <= self._ended:
                    self._change.wait(min(0.1, left))
            meanwhile()
