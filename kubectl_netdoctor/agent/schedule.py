"""Collects the facts of a plan so that one that hangs costs itself and no other.

A fact that waits for the window has a thread of its own, and so has each probe. All others only
read and compute: one worker takes them in turn, because threads that compute at once fight for
one interpreter and take longer in sum. When it stays at one fact, another worker takes the rest.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_netdoctor.agent.absence import LIBRARIES, Absence, not_installed
from kubectl_netdoctor.agent.registry import AFTER_PROBES, PROBES, Collector, later, load
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.agent.starvation import waited_for_cpu
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.own_service import PATIENCE

FACT_SECONDS = 5.0
"""What a fact may take beside the window and the silence that it waits for on purpose."""
LATER_SECONDS = 4.0
"""That agents of other nodes may start later than this one."""
EARLY = ("sysctls",)
"""Read before the collectors of others are even imported: a pod's start may change them."""
_RESERVE_SECONDS = 1.0  # of the agent's deadline, for writing the report
_SHARE = 0.2  # at most this part of a short deadline
_POLL_SECONDS = 0.1  # how late a deadline or a stall may be noticed
_STALL_SECONDS = 0.5  # after which facts do not wait for the one before them any longer


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one fact."""

    key: str
    fact: object
    seconds: float


@dataclass(slots=True)
class Schedule:
    """The facts of one run that are not there yet, each with its deadline by time.monotonic()."""

    run: Run
    deadlines: dict[str, float] = field(default_factory=dict)
    turns: deque[Collector] = field(default_factory=deque)
    results: queue.SimpleQueue[Result] = field(default_factory=queue.SimpleQueue)
    last_turn: float = 0.0
    starved: float = field(default_factory=waited_for_cpu)  # at the last look

    @property
    def last(self) -> float:
        """When the report has to be written, whatever is missing then."""
        deadline = self.run.plan.deadline_seconds
        return self.run.started + deadline - min(_RESERVE_SECONDS, deadline * _SHARE)

    def start(self, items: list[Collector]) -> None:
        """Set everything off, the windows first: they should begin now."""
        self.deadlines |= {item.key: self.last for item in items}
        for item in items:
            if item.key in PROBES:
                self.run.probing.begin(item.key)
        for item in sorted(items, key=lambda item: not item.waits):
            if item.waits or item.key in PROBES:
                _thread(self._collect, item)
            else:
                self.turns.append(item)
        self._add_worker()

    def next(self) -> Result | None:
        """The next result; a fact whose deadline passed is Missing. None when all are there."""
        while self.deadlines:
            nearest = min(self.deadlines, key=lambda key: self.deadlines[key])
            left = self.deadlines[nearest] - time.monotonic()
            if left <= 0 and self._excused(nearest):
                continue
            if left <= 0:
                del self.deadlines[nearest]
                return self._expired(nearest)
            if self.turns and time.monotonic() - self.last_turn > _STALL_SECONDS:
                self._add_worker()
            try:
                result = self.results.get(timeout=min(left, _POLL_SECONDS))
            except queue.Empty:
                continue
            if self.deadlines.pop(result.key, None) is not None:
                return result
        return None

    def _excused(self, key: str) -> bool:
        """Put a deadline off by the time that this process waited for a CPU since the last look."""
        waited = waited_for_cpu()
        more, self.starved = waited - self.starved, max(waited, self.starved)
        if more < _POLL_SECONDS or self.deadlines[key] >= self.last:
            return False
        self.deadlines = {k: min(self.last, at + more) for k, at in self.deadlines.items()}
        return True

    def _add_worker(self) -> None:
        self.last_turn = time.monotonic()
        _thread(self._work)

    def _work(self) -> None:
        """Take one fact after another."""
        while True:
            try:
                item = self.turns.popleft()
            except IndexError:
                return
            self.last_turn = time.monotonic()
            self._collect(item)

    def _collect(self, item: Collector) -> None:
        """Make one fact; its own deadline runs from now on."""
        start = time.monotonic()
        if item.key in self.deadlines:
            self.deadlines[item.key] = min(self.last, start + allowed(item, self.run))
        fact = attempt(item, self.run)
        self.run.probing.end(item.key)
        took = max(0.0, time.monotonic() - start - self.run.slept.get(item.key, 0.0))
        self.results.put(Result(item.key, fact, round(took, 3)))

    def _expired(self, key: str) -> Result:
        after = round(time.monotonic() - self.run.started, 3)
        detail = f"not finished {after:.1f} s after the agent's start"
        return Result(key, Missing(Reason.TIMED_OUT, detail), after)


def collect(run: Run) -> tuple[dict[str, Any], dict[str, float]]:
    """Facts, or Missing, by key, and the seconds that each took, without what it slept on purpose."""
    facts: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    schedule = Schedule(run)
    keys = dict.fromkeys(run.plan.facts)
    schedule.start(_collectors(run, facts, [k for k in keys if k in EARLY]))
    schedule.start(_collectors(run, facts, [k for k in keys if k not in EARLY]))
    while (result := schedule.next()) is not None:
        facts[result.key] = result.fact
        seconds[result.key] = result.seconds
    return facts, seconds


def allowed(item: Collector, run: Run) -> float:
    """Seconds that a fact may take."""
    seconds = FACT_SECONDS
    if item.waits or item.key in PROBES:
        seconds += run.plan.window_seconds
    if item.outlasts:
        seconds += AFTER_PROBES
    if item.key in PROBES:
        seconds += run.plan.probe_timeout_seconds
    if item.key == "transport_probes":  # it waits for agents that start later
        seconds += LATER_SECONDS
    if item.key in ("pod_probes", "hops", "target_probes", "own_service"):
        seconds += run.plan.companions_within  # one waits for the companions first
    if item.key == "own_service":
        seconds += PATIENCE
    return seconds


def attempt(item: Collector, run: Run) -> object:
    """The fact, or Missing with the reason why there is none."""
    try:
        return item.collect(run)
    except Absence as absence:
        return absence.missing()
    except Exception as exc:  # noqa: BLE001 - a bug in one collector must not cost the others
        library = (getattr(exc, "name", None) or "").partition(".")[0]
        if isinstance(exc, ModuleNotFoundError) and library in LIBRARIES:
            return Missing(Reason.NOT_PRESENT, not_installed(library))
        return _failed(item.key, exc, run)


def _collectors(run: Run, facts: dict[str, Any], keys: list[str]) -> list[Collector]:
    """Collectors of these facts.

    A key that this agent does not know cannot be in its report: it is noted in the log.
    """
    found: list[Collector] = []
    for key in keys:
        try:
            found.append(later(key) if key in PROBES else load(key))
        except KeyError:
            run.note(f"{key!r:.60}: this agent collects no such fact")
        except Exception as exc:  # noqa: BLE001 - a broken collector must not cost the others
            facts[key] = _failed(key, exc, run)
    return found


def _failed(key: str, exc: Exception, run: Run) -> Missing:
    """Missing for a fact whose collector broke, with the place of it in the log."""
    said = f"{type(exc).__name__}: {exc}"[:300]
    frames = traceback.extract_tb(exc.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    run.note(f"{key}: {said} at {place}")
    return Missing(Reason.FAILED, said)


def _thread(target: Any, *args: object) -> None:
    threading.Thread(target=target, args=args, daemon=True).start()
