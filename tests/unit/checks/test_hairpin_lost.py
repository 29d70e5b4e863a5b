"""SVC-13: the run's own Service, asked by its own backend."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Finding, Inconclusive
from kubectl_netdoctor.checks.hairpin_lost import hairpin_lost
from kubectl_netdoctor.facts.own_service import ServiceTries
from tests.unit.checks.test_service_converges_late import NEVER, SOON


def hairpin(**changes: Any) -> list[Finding]:
    """Findings of one node."""
    return list(hairpin_lost(dataclasses.replace(SOON, **changes)))


def test_a_pod_that_does_not_reach_itself() -> None:
    """All of its connections were lost, the node's were not."""
    (row,) = hairpin(hairpin=ServiceTries(5, 0, {"timeout": 5}))
    assert "0/5 (5 timeout)" in row.evidence[0].text


@pytest.mark.parametrize("tries", [ServiceTries(5, 1, {"timeout": 4}), ServiceTries(3, 0, {})])
def test_some_or_too_few_are_no_finding(tries: ServiceTries) -> None:
    """One answer proves the way."""
    assert hairpin(hairpin=tries) == []


@pytest.mark.parametrize("changes", [NEVER, {"hairpin": None, "inside": "denied"}])
def test_what_was_not_measured_is_unknown(changes: dict[str, Any]) -> None:
    """Never OK."""
    with pytest.raises(Inconclusive):
        hairpin(**changes)
