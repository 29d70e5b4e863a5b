"""Every scenario of the benchmark as it was recorded on a lab: the same first row, without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.analysis.diff import diff
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.faults.recorded import read, report
from tests.faults.run import words
from tests.faults.scenario import all_scenarios
from tests.faults.score import SERIOUS, score

SCENARIOS = all_scenarios()
HEALTHY = "quiet-healthy"
USUAL = SCENARIOS[
    HEALTHY
].scan  # others measured something else: there is more than the fault between


@cache
def recorded() -> tuple[Mapping[str, Snapshot], Callable[[str], str]]:
    """The archive, read once."""
    return read()


@cache
def judged(name: str) -> Diagnosis:
    """One scenario's diagnosis."""
    return diagnose(recorded()[0][name], catalogue())


def test_every_scenario_is_recorded_and_nothing_else() -> None:
    """A new scenario comes with its snapshot."""
    assert set(recorded()[0]) == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_recorded_scenario_is_judged_as_on_the_lab(name: str) -> None:
    """Causes first, in their place, with their fix; nothing else of medium or above."""
    snapshots, translate = recorded()
    result = score(SCENARIOS[name], report(snapshots[name], translate), 0.0)
    assert result.good, words(result)


@pytest.mark.parametrize("name", [n for n, s in SCENARIOS.items() if s.scan == USUAL])
def test_the_difference_to_the_healthy_lab_is_the_fault(name: str) -> None:
    """From broken to mended: the injected fault is fixed, and nothing is new."""
    found = diff(judged(name), judged(HEALTHY))
    fixed = {r.finding.id for r in found.fixed if r.severity in SERIOUS and r.caused_by is None}
    causes = {r.finding.id for r in judged(name).causes if r.severity in SERIOUS}
    assert fixed == causes
    assert not [r for r in found.new if r.severity in SERIOUS]
