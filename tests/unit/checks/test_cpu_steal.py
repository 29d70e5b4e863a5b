"""NODE-01."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.system import CpuTime, CpuTimes
from tests.unit.recorded import change_node, findings, healthy


@pytest.mark.parametrize(
    ("steal", "seconds", "expected"),
    [
        (0, 60.0, None), (4, 60.0, None), (5, 60.0, Severity.INFO), (99, 60.0, Severity.INFO),
        (100, 60.0, Severity.MEDIUM), (300, 60.0, Severity.MEDIUM),
        (5, 1.0, None), (99, 1.0, None), (100, 1.0, Severity.LOW), (900, 1.0, Severity.LOW),
    ],
)  # fmt: skip
def test_share_and_window(steal: int, seconds: float, expected: Severity | None) -> None:
    """Of 1,000 ticks: advice from 0.5 %, a fault from 10 %, and a short window is a glimpse only."""
    times = CpuTimes(seconds, (CpuTime(0, 0, 0, 0, 1000 - steal, 0, 0, 0, steal),))
    stolen = change_node(healthy(), "n3", CpuTimes, lambda _: times)
    assert [f.severity for f in findings("NODE-01", stolen)] == ([expected] if expected else [])


def test_an_empty_window_is_silent() -> None:
    """No ticks, no share."""
    none = change_node(healthy(), "n3", CpuTimes, lambda _: CpuTimes(0.0, ()))
    assert findings("NODE-01", none) == []
