"""Each fault of Services, injected on a real node, is the first row; then there is silence again."""

from __future__ import annotations

import pytest

from tests.e2e.faults import NODE, Fault
from tests.e2e.netdoctor import Scan, scan
from tests.e2e.service_faults import FAULTS, SHOP
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]
CLUSTER_WIDE = ("API-08", "SVC-03")  # about no node of the cluster


def causes(found: Scan) -> list[str]:
    """IDs of the rows that nothing else explains."""
    return [r["id"] for r in found.report["findings"] if r["causedBy"] is None]


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    lab: Lab, expected: str, fault: Fault
) -> None:
    """Silent before, first while it lasts, with the node and a fix, silent after the revert."""
    before = scan(lab, "--node", NODE)
    assert before.serious == []
    with fault(lab):
        during = scan(lab, "--node", NODE)
    assert during.first == expected, during.report["findings"]
    assert causes(during) == [expected]
    row = during.report["findings"][0]
    assert row["evidence"]
    assert row["fix"]["commands"]
    if expected not in CLUSTER_WIDE:
        assert NODE in {s["name"] for s in row["subjects"]}
    after = scan(lab, "--node", NODE)
    assert after.serious == []
    assert expected not in causes(after)
    assert after.code == 0


def test_all_nodes_are_asked_and_one_is_named(lab: Lab) -> None:
    """With every node scanned the stale one is named alone, with the Service and the dead address."""
    with FAULTS["stale_backend"][1](lab):
        during = scan(lab, "--all-nodes")
    row = during.report["findings"][0]
    assert row["id"] == "SVC-02"
    assert [s["name"] for s in row["subjects"]] == [NODE]
    assert any(f"default/{SHOP}" in e["text"] for e in row["evidence"])
    assert "1 dead backend" in row["title"]


def test_a_hanging_kube_proxy_is_not_called_absent(lab: Lab) -> None:
    """A stopped process is there: what it left undone is the finding, not its absence."""
    with FAULTS["service_rules_missing"][1](lab):
        during = scan(lab, "--node", NODE)
    ids = {r["id"]: r for r in during.report["findings"]}
    assert "SVC-01" not in ids
    assert ids["API-01"]["causedBy"] == during.report["findings"][0]["key"]
    assert any("it hangs" in e["text"] for e in during.report["findings"][0]["evidence"])
