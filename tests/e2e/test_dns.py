"""Each fault of DNS, injected on a real cluster, is the first row; before and after is silence."""

from __future__ import annotations

import pytest

from tests.e2e.dns_faults import FAULTS
from tests.e2e.faults import NODE, Fault, wait_for
from tests.e2e.netdoctor import scan
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]
HIGH = ("critical", "high")
ELSEWHERE = ("DNS-20",)  # the slow pod is where it runs


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first while it lasts, with the place and a fix, silent after the revert."""
    where = ("--all-nodes",) if expected in ELSEWHERE else ("--node", NODE)
    before = scan(lab, *where)
    assert before.serious == []
    with fault(lab):
        during = scan(lab, *where)
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert during.code == (1 if row["severity"] in HIGH else 0)
    assert row["evidence"]
    assert row["fix"]["commands"]
    if expected not in ELSEWHERE:
        assert NODE in {s["name"] for s in row["subjects"]}
    # What this fault causes is folded under it: no second cause of medium or worse.
    causes = [
        r["id"]
        for r in during.report["findings"]
        if r["causedBy"] is None and r["severity"] in (*HIGH, "medium")
    ]
    assert causes == [expected]
    wait_for(lambda: not lab.healthy())
    after = scan(lab, *where)
    assert after.serious == []
    assert after.code == 0
