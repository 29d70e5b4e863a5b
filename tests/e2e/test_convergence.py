"""Each fault that keeps Service changes from a node is the first row; then there is silence."""

from __future__ import annotations

import pytest

from tests.e2e.convergence_faults import FAULTS, pods_without_hairpin, proxy_stopped
from tests.e2e.faults import NODE, Fault, wait_for
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


def ids(lab: Lab, *options: str) -> dict[str, str | None]:
    """Findings of a scan with a Service of its own, each with the ID of its cause."""
    rows = scan(lab, "--all-nodes", "--convergence", *options).report["findings"]
    return {r["id"]: r["causedBy"] and r["causedBy"].partition("@")[0] for r in rows}


def test_a_service_of_the_runs_own_is_measured_and_gone(lab: Lab) -> None:
    """In time everywhere, from its own backend too, and nothing stays."""
    seen = scan(lab, "--all-nodes", "--convergence")
    assert seen.serious == []
    (row,) = (a for a in seen.report["advice"] if a["id"] == "SVC-12")
    assert {e["node"] for e in row["evidence"]} == set(lab.nodes)
    outcomes = {
        (c["node"], c["outcome"]) for c in seen.report["coverage"] if c["check"] == "SVC-13"
    }
    assert outcomes == {(n, "passed") for n in lab.nodes}
    wait_for(lambda: "netdoctor-" not in lab.kubectl("get", "services", "-A", "-o", "name"))


def test_a_change_that_never_comes_is_measured(lab: Lab) -> None:
    """kube-proxy is stopped: its finding is the cause, the measurement its proof."""
    with proxy_stopped(lab):
        found = ids(lab)
    broken(lab)
    assert found["SVC-11"] is None
    assert found["SVC-12"] == "SVC-11"


def test_a_hairpin_that_is_lost_is_measured(lab: Lab) -> None:
    """Pods that are there still have it; the first one without is the companion: only it can tell."""
    with pods_without_hairpin(lab):
        found = ids(lab)
    broken(lab)
    assert found == {"SVC-13": None}
