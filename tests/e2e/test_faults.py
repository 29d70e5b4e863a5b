"""Each fault, injected on a real node, is the first row; before and after it there is silence."""

from __future__ import annotations

import pytest

from tests.e2e.faults import FAULTS, NODE, Fault
from tests.e2e.netdoctor import broken, scan, silent
from tests.lab import Lab

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first while it lasts, with the node and a fix, silent after the revert."""
    silent(lab)
    broken(lab)
    with fault(lab):
        during = scan(lab, "--node", NODE)
    assert during.first == expected, during.report["findings"]
    assert during.code == 1
    row = during.report["findings"][0]
    assert row["evidence"]
    assert row["fix"]["commands"]
    if expected != "DNS-04":  # cluster DNS is nobody's node
        assert NODE in {s["name"] for s in row["subjects"]}
    # What this fault causes is folded under it: no second cause of medium or worse.
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    silent(lab)
