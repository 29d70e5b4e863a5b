"""Each fault of connection tracking, injected on a real node, is the first row; then silence."""

from __future__ import annotations

import pytest

from tests.e2e.conntrack_faults import FAULTS, GONE, STATSD
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
    assert row["evidence"]
    assert row["fix"]["commands"]
    assert [s["name"] for s in row["subjects"]] == [NODE]
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    silent(lab)


def test_the_fix_of_a_stale_entry_works(lab: Lab) -> None:
    """The command of the finding, typed on the node, and the next scan has nothing to say."""
    with FAULTS["stale_udp_entry"][1](lab):
        during = scan(lab, "--node", NODE)
        (row,) = [r for r in during.report["findings"] if r["id"] == "CT-04"]
        assert GONE in row["evidence"][0]["text"]
        assert f"default/{STATSD}" in row["title"]
        for command in row["fix"]["commands"]:
            lab.on(NODE, *command.split())
        after = scan(lab, "--node", NODE)
    assert after.serious == []
