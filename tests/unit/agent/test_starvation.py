"""Waiting for a CPU is told from hanging."""

from __future__ import annotations

import time

import pytest

from kubectl_netdoctor.agent import schedule
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.agent.schedule import Schedule
from kubectl_netdoctor.agent.starvation import waited_for_cpu
from tests.fixtures.plans import plan


def test_the_wait_only_grows() -> None:
    """Seconds, never negative."""
    first = waited_for_cpu()
    assert 0 <= first <= waited_for_cpu() + 0.001


@pytest.mark.parametrize(("waited", "excused"), [(2.0, True), (0.01, False)])
def test_a_deadline_is_put_off_by_that_wait_once(
    monkeypatch: pytest.MonkeyPatch, waited: float, excused: bool
) -> None:
    """No longer than the report can wait, and the same wait does not count twice."""
    monkeypatch.setattr(schedule, "waited_for_cpu", lambda: waited)
    now = time.monotonic()
    facts = Schedule(Run(plan(deadline_seconds=60.0), Host(), now), deadlines={"routes": now})
    facts.starved = 0.0
    assert facts._excused("routes") is excused
    assert facts.deadlines["routes"] == pytest.approx(now + (waited if excused else 0.0))
    assert facts._excused("routes") is False
    assert facts.deadlines["routes"] <= facts.last
