"""Each fault of a pod, injected on a real node, is the first row; then there is silence again."""

from __future__ import annotations

import pytest

from tests.e2e.faults import NODE, Fault
from tests.e2e.netdoctor import scan
from tests.e2e.pod_faults import DEAD, FAULTS, KIOSK, WRONG_PORT, pod
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]
SAYS = {
    "SVC-04": f"nothing listens on TCP {WRONG_PORT}; it listens on 8081",
    "MTU-05": f"pod {KIOSK}",
    "SVC-08": DEAD,
    "MTU-06": "pods have up to 1450",
}
"""What the evidence must name."""


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first while it lasts, with the place and a fix, silent after the revert."""
    before = scan(lab, "--all-nodes")
    assert before.serious == []
    with fault(lab):
        during = scan(lab, "--all-nodes")
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert NODE in {s["name"] for s in row["subjects"]}
    assert any(SAYS[expected] in e["text"] for e in row["evidence"]), row["evidence"]
    assert row["fix"]["commands"]
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    after = scan(lab, "--all-nodes")
    assert after.serious == []
    assert expected not in [r["id"] for r in after.report["findings"]]
    assert after.code == 0, after.report["coverage"]


def test_a_pod_that_is_well_is_no_finding(lab: Lab) -> None:
    """The same pod without any of these faults, young as it is."""
    with pod(lab):
        assert scan(lab, "--node", NODE).report["findings"] == []
