"""Each fault that keeps Service changes from a node is the first row; then there is silence."""

from __future__ import annotations

import pytest

from tests.e2e.convergence_faults import FAULTS
from tests.e2e.faults import NODE, Fault
from tests.e2e.netdoctor import broken, scan, silent
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first while it lasts, on the right node and with a fix, silent after."""
    silent(lab)
    broken(lab)
    with fault(lab):
        during = scan(lab, "--all-nodes")
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert [s["name"] for s in row["subjects"]] == [NODE]
    assert row["evidence"]
    assert row["fix"]["commands"]
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    silent(lab)
