"""Paths that are too small, one by one: first row with the right place, then silence again."""

from __future__ import annotations

import pytest

from tests.e2e.faults import NODE
from tests.e2e.netdoctor import scan
from tests.e2e.path_mtu_faults import FAULTS, fragments_dropped, nic_small, routed_small
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]

# How fast DNS answers is another file's subject, and the machine's load while labs are busy.
WITHOUT_DNS = ("--ignore", "DNS")
ONE = ("--node", NODE, *WITHOUT_DNS)
# A longer window, so that those of all agents overlap for sure.
ALL = ("--all-nodes", "--window", "3s", *WITHOUT_DNS)
SEVERAL = ("large_lost_one_way", "nic_small")  # what one node alone cannot tell
SAYS = {
    "switch_port_small": "1404 passes, 1405 vanishes",
    "large_lost_one_way": "came in: the answers are lost",
    "routed_small": "1401 is refused by 198.18.0.1 (ICMP 3/4, next-hop MTU 1400)",
    "routed_black_hole": "1400 passes, 1401 vanishes",
    "nic_small": "eth0 1500 - 50 VXLAN = 1450; flannel.1 says 1450; 1354 passes, 1355 vanishes",
    "pods_not_reduced": "pods have 1500",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_small_path_is_the_first_row_and_gone_afterwards(lab: Lab, name: str) -> None:
    """Silent before, first while it lasts, with the node and the size, silent after the revert."""
    expected, fault = FAULTS[name]
    where = ALL if name in SEVERAL else ONE
    assert scan(lab, *where).serious == []
    with fault(lab):
        during = scan(lab, *where)
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert {s["name"] for s in row["subjects"]} == {NODE}
    assert any(SAYS[name] in e["text"] for e in row["evidence"]), row["evidence"]
    assert row["fix"]["commands"]
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    after = scan(lab, *where)
    assert after.serious == []
    assert after.code == 0


def test_lost_fragments_are_a_low_row(lab: Lab) -> None:
    """Nothing that pods send over a fitting tunnel needs them: low, and the exit code is 0."""
    with fragments_dropped(lab):
        during = scan(lab, *ALL)
    assert [(r["id"], r["severity"]) for r in during.report["findings"]] == [("MTU-07", "low")]
    assert {s["name"] for s in during.report["findings"][0]["subjects"]} == {NODE}
    assert during.code == 0


def test_one_node_alone_tells_what_it_can_of_a_small_nic(lab: Lab) -> None:
    """Its own arithmetic is wrong; where its tunnel swallows packets, that is explained by it.

    The kernel may have cut the tunnel's route to what fits at the first large packet: then nothing
    is swallowed any more in that direction.
    """
    with nic_small(lab):
        during = scan(lab, *ONE)
    assert [r["id"] for r in during.report["findings"] if r["causedBy"] is None] == ["MTU-01"]
    assert {r["id"] for r in during.report["findings"]} <= {"MTU-01", "MTU-03", "MTU-06"}


def test_a_scan_cures_nothing(lab: Lab) -> None:
    """The second scan sees what the first one saw: no node has learned a size from our probes."""
    with routed_small(lab):
        first = scan(lab, *ONE)
        learned = lab.on(NODE, "ip", "route", "get", lab.address("n1"))
        second = scan(lab, *ONE)
    assert "mtu" not in learned
    assert (first.first, second.first) == ("MTU-02", "MTU-02")
