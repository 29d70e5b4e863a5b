"""One thread decides, a few threads wait for the API: decisions share no state with the waiting."""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from kubectl_netdoctor.cluster.api_errors import ApiError

T = TypeVar("T")

Step = Callable[[], None]

MAIN = "main"
"""The lane of work that names no other."""


class Loop:
    """Runs steps one after the other, in the thread that calls run().

    Worker threads are daemons: a request that hangs never holds up the end of the program.
    """

    def __init__(self, lanes: Mapping[str, int]) -> None:
        self._steps: queue.SimpleQueue[Step] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Step]] = []
        self._order = itertools.count()
        self._lanes = {name: _Lane(threads) for name, threads in lanes.items()}

    def post(self, step: Step) -> None:
        """Run a step soon. Any thread may call this."""
        self._steps.put(step)

    def after(self, seconds: float, step: Step) -> None:
        """Run a step later."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), step))

    def call(
        self,
        work: Callable[[], T],
        then: Callable[[T | ApiError], None],
        *,
        lane: str = MAIN,
    ) -> None:
        """Do work in another thread, then hand its result or its ApiError to a step."""
        self._lanes[lane].put(lambda: self._do(work, then))

    def run(self, *, until: Callable[[], bool], deadline: float) -> bool:
        """Run steps until there is no more to do; False: the deadline (monotonic) came first."""
        while not until():
            now = time.monotonic()
            if now >= deadline:
                return False
            if self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
                continue
            wake = min(deadline, self._timers[0][0] if self._timers else deadline)
            try:
                step = self._steps.get(timeout=wake - now)
            except queue.Empty:
                continue
            step()
        return True

    def stop(self, patience: float = 0.0) -> None:
        """Begin no more work; wait so many seconds for what was begun."""
        end = time.monotonic() + patience
        for lane in self._lanes.values():
            lane.stop()
        for lane in self._lanes.values():
            lane.join(end)

    def _do(self, work: Callable[[], T], then: Callable[[T | ApiError], None]) -> None:
        result: T | ApiError
        try:
            result = work()
        except ApiError as exc:
            result = exc
        except BaseException as exc:  # noqa: BLE001 - a bug: raised again where decisions are made
            self.post(partial(self._raise, exc))
            return
        self.post(lambda: then(result))

    @staticmethod
    def _raise(exc: BaseException) -> None:
        raise exc


class _Lane:
    """A queue of work and the threads that do it, begun when they are needed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._work: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._stopped = threading.Event()

    def put(self, job: Step) -> None:
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._limit:
            thread = threading.Thread(target=self._worker, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put(job)

    def stop(self) -> None:
        self._stopped.set()
        for _ in self._threads:
            self._work.put(None)

    def join(self, end: float) -> None:
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _worker(self) -> None:
        while (job := self._work.get()) is not None:
            if not self._stopped.is_set():
                job()
            self._idle.release()
