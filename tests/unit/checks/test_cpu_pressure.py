"""When a node was short of CPU."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import PerNode
from kubectl_netdoctor.checks.cpu_pressure import Cpus
from kubectl_netdoctor.facts.system import CpuTime, CpuTimes, Pressure, PressureLine


def cpus(waiting: float | None, idle: int | None, steal: int = 0) -> Cpus:
    """One node, `a`: the share of time with a waiting task; idle and stolen of 100 ticks."""
    line = {"cpu.some": PressureLine(0.0, int((waiting or 0) * 2e6))}
    ticks = CpuTime(0, 100 - (idle or 0) - steal, 0, 0, idle or 0, 0, 0, 0, steal)
    return Cpus(
        None if waiting is None else PerNode({"a": Pressure(2.0, line)}),
        None if idle is None else PerNode({"a": CpuTimes(2.0, (ticks,))}),
    )


@pytest.mark.parametrize(
    ("waiting", "idle", "steal", "short"),
    [
        (0.9, 2, 0, True), (0.5, 20, 0, True), (0.9, None, 0, True), (None, 2, 0, True),
        (0.9, 21, 0, False), (0.4, 2, 0, False), (None, 6, 0, False), (0.1, 90, 0, False),
        (0.1, 50, 10, True), (0.1, 50, 9, False), (None, None, 0, False),
    ],
)  # fmt: skip
def test_waiting_without_an_idle_cpu(
    waiting: float | None, idle: int | None, steal: int, short: bool
) -> None:
    """A task that waits while CPUs idle waits for its own limit; stolen time is lack in any case."""
    assert (cpus(waiting, idle, steal).shortage("a") is not None) is short


def test_nothing_known_is_neither() -> None:
    """No shortage is claimed, and no plenty."""
    assert not cpus(None, None).known("a")
    assert not cpus(0.9, 2).known("b")
    assert cpus(None, 50).known("a")
    assert cpus(0.1, None).known("a")


def test_its_numbers_in_words() -> None:
    """Each source that spoke."""
    said = cpus(0.97, 1, 12).shortage("a")
    assert said == (
        "tasks waited for a CPU in 97% of the window, CPUs were idle for 1%, the hypervisor took 12%"
    )
