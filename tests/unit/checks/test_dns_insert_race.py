"""DNS-02."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.dns_matrix import DnsCell
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.conntrack_samples import counted
from tests.unit.dns_answers import Change, lost, seen
from tests.unit.recorded import findings

CLUSTER_IP = "198.19.128.10"


def race(change: Change, *, failed: int = 2) -> Snapshot:
    """Every node sees this matrix; on n3 entries could not be made."""
    return counted(seen(change), insert_failed=failed)


def second(cell: DnsCell) -> DnsCell:
    """AAAA of a pair to the ClusterIP is lost."""
    hit = cell.server == CLUSTER_IP and cell.paired and cell.type == "AAAA"
    return lost(cell) if hit else cell


def test_a_lost_twin_with_a_failed_entry_fires() -> None:
    """Only where the counter moved."""
    (found,) = findings("DNS-02", race(second))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.POSSIBLE  # one stall
    assert "1 of 2 questions of A and AAAA pairs" in found.evidence[0].text
    assert "insert_failed moved by 2" in found.evidence[2].text


def test_more_stalls_are_likely() -> None:
    """Three pairs, two of them without AAAA."""

    def more(cell: DnsCell) -> DnsCell:
        if not cell.paired or cell.server != CLUSTER_IP:
            return cell
        if cell.type != "AAAA":
            return dataclasses.replace(cell, sent=3, answered=3)
        return dataclasses.replace(cell, sent=3, answered=1, errors={"timeout": 2})

    (found,) = findings("DNS-02", race(more))
    assert found.confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        pytest.param(second, 0, id="the counter stood still"),
        pytest.param(lambda c: c, 40, id="the counter alone"),
        pytest.param(lambda c: lost(c) if c.server == CLUSTER_IP else c, 9, id="DNS is down"),
        pytest.param(
            lambda c: lost(c) if c.paired and c.server == CLUSTER_IP else c,
            9,
            id="all pairs: a box",
        ),
        pytest.param(
            lambda c: lost(c) if c.paired and c.type == "AAAA" else c, 9, id="endpoints lose it too"
        ),
        pytest.param(
            lambda c: (
                dataclasses.replace(second(c), answered=c.sent - 1)
                if c.server == CLUSTER_IP and c.type == "A" and not c.paired
                else second(c)
            ),
            9,
            id="packet loss",
        ),
    ],
)
def test_look_alikes_are_silent(change: Change, failed: int) -> None:
    """A stall, or the counter, or loss on the way: one of them is not this fault."""
    assert findings("DNS-02", race(change, failed=failed)) == []
