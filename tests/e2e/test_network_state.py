"""Faults of overlay, routes and host firewall: first row, right place, alone, and silence after."""

from __future__ import annotations

import pytest

from tests.e2e.faults import NODE, Fault
from tests.e2e.netdoctor import scan
from tests.e2e.network_state_faults import FAULTS
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first and the only cause while it lasts, silent after the revert."""
    before = scan(lab, "--all-nodes")
    assert before.serious == []
    with fault(lab):
        during = scan(lab, "--all-nodes")
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    if expected != "POL-04":  # policies are nobody's node
        assert NODE in {s["name"] for s in row["subjects"]}
    assert row["evidence"]
    assert row["fix"]["commands"]
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    after = scan(lab, "--all-nodes")
    assert after.serious == []
    assert after.code == 0
