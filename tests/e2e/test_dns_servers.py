"""Each fault of a DNS server, injected on a real cluster, is the first row; then silence again."""

from __future__ import annotations

import pytest

from tests.e2e.dns_server_faults import FAULTS, first_pod
from tests.e2e.faults import Fault
from tests.e2e.netdoctor import scan
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first while it lasts, with the pod and a fix, silent after the revert."""
    before = scan(lab, "--all-nodes")
    assert before.serious == []
    pod = str(first_pod(lab)["metadata"]["name"])
    with fault(lab):
        during = scan(lab, "--all-nodes")
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert row["evidence"]
    assert row["fix"]["commands"]
    if expected != "DNS-14":  # a setting of all of them
        assert f"kube-system/{pod}" in {s["name"] for s in row["subjects"]}
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    after = scan(lab, "--all-nodes")
    assert after.serious == []
    assert expected not in [r["id"] for r in after.report["findings"]]
    assert after.code == 0, after.report["coverage"]
