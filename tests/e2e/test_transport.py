"""UDP and TCP between nodes: loss by direction, damage, and what vanishes in the tunnel."""

from __future__ import annotations

import pytest

from tests.e2e.faults import NODE
from tests.e2e.netdoctor import Scan, scan
from tests.e2e.transport_faults import FAULTS, LOOK_ALIKES, loss_on_one_pair, loss_one_way
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]

# How fast DNS answers is another file's subject, and the machine's load while labs are busy.
ALL = ("--all-nodes", "--ignore", "DNS")


def said(during: Scan) -> str:
    """All evidence of the first row."""
    return " | ".join(e["text"] for e in during.report["findings"][0]["evidence"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_the_first_row_and_gone_afterwards(lab: Lab, name: str) -> None:
    """Silent before, first while it lasts, with the node, silent after the revert."""
    expected, fault = FAULTS[name]
    assert scan(lab, *ALL).serious == []
    with fault(lab):
        during = scan(lab, *ALL)
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert NODE in {s["name"] for s in row["subjects"]}
    assert row["fix"]["commands"]
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected], during.report["findings"]
    after = scan(lab, *ALL)
    assert after.serious == []
    assert after.code == 0


def test_the_direction_of_loss_is_named(lab: Lab) -> None:
    """The way out of the node loses, the way into it does not."""
    with loss_one_way(lab):
        text = said(scan(lab, *ALL))
    assert f"{NODE} -> n1: " in text
    assert f"; n1 -> {NODE}: 0 of " in text, text
    with loss_on_one_pair(lab):
        during = scan(lab, *ALL)
    row = during.report["findings"][0]
    assert {s["name"] for s in row["subjects"]} == {"n1", NODE}
    assert f"; n1 -> {NODE}: 0 of " in said(during)


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_filter_for_our_own_port_is_no_fault(lab: Lab, name: str) -> None:
    """Nothing of medium or above, though nothing could be measured there."""
    with LOOK_ALIKES[name](lab):
        during = scan(lab, *ALL)
    assert during.serious == []
