"""Which function collects which fact: a collector registers itself under its wire key.

The modules are found by name, so that a plan imports the collectors of its facts and no others.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kubectl_netdoctor.agent.run import Run, Window

PROBES = (
    "path_probes",
    "dns_probes",
    "dns_matrix",
    "dns_records",
    "path_mtu",
    "pod_probes",
    "hops",
    "transport_probes",
    "target_probes",
    "own_service",
)
AFTER_PROBES = 3.0
"""Seconds beyond the window that counters of what may take the probes' packets wait for the probes."""
_PACKAGE = __name__.rpartition(".")[0]

S = TypeVar("S")
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Collector:
    """How one fact is made.

    `waits`: it sleeps through the window between two samples; `outlasts`: and then until the probes
    are over, AFTER_PROBES seconds at most.
    """

    key: str
    collect: Callable[[Run], object]
    waits: bool
    outlasts: bool = False


_COLLECTORS: dict[str, Collector] = {}


def collector(key: str) -> Callable[[Callable[[Run], F]], Callable[[Run], F]]:
    """Register a function that reads a fact once."""

    def register(function: Callable[[Run], F]) -> Callable[[Run], F]:
        _COLLECTORS[key] = Collector(key, function, waits=False)
        return function

    return register


def windowed(
    key: str, sample: Callable[[Run], S], *, outlasts: bool = False
) -> Callable[[Callable[[S, S, Window], F]], Callable[[S, S, Window], F]]:
    """Register a pure function that makes a fact of two samples, taken at the window's ends.

    With `outlasts` the second sample is taken when the probes are over, too: what has taken their
    packets is seen in the counters, also where a starved node sent them late.
    """

    def register(difference: Callable[[S, S, Window], F]) -> Callable[[S, S, Window], F]:
        def collect(run: Run) -> F:
            start = time.monotonic()
            before = sample(run)
            end = start + run.plan.window_seconds
            asleep = time.monotonic()
            time.sleep(max(0.0, end - asleep))
            if outlasts:
                run.probing.wait(until=end + AFTER_PROBES)
            run.slept[key] = time.monotonic() - asleep
            seconds = time.monotonic() - start
            after = sample(run)
            return difference(before, after, Window(round(seconds, 6), run))

        _COLLECTORS[key] = Collector(key, collect, waits=True, outlasts=outlasts)
        return difference

    return register


def later(key: str) -> Collector:
    """A collector that is imported when it runs, because it brings a large library with it."""

    def collect(run: Run) -> object:
        return load(key).collect(run)

    return Collector(key, collect, waits=False)


def load(key: str) -> Collector:
    """The collector of a fact. Raises KeyError for a fact that no collector makes."""
    if not key.isidentifier():
        raise KeyError(key)
    name = f"{_PACKAGE}.{'probes' if key in PROBES else 'collectors'}.{key}"
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name != name:
            raise
        raise KeyError(key) from None
    return _COLLECTORS[key]
