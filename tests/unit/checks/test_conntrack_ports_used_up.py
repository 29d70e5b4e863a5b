"""CT-05."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.checks.source_ports import PORT_RANGE
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import with_rules
from tests.unit.conntrack_samples import counted, use, with_flows
from tests.unit.recorded import findings, healthy, sysctl

ALL = 28_232  # ports of the kernel's own range
POD = "198.19.2.7"  # of n3's podCIDR
NARROW = "nat POSTROUTING -p tcp -j MASQUERADE --to-ports 40000-40050"


def on_n3(*uses: Any, snapshot: Snapshot | None = None, **more: Any) -> Snapshot:
    """n3 with these uses of source ports and the kernel's own range."""
    ranged = sysctl(snapshot or healthy(), "n3", PORT_RANGE, "32768 60999")
    return with_flows(ranged, ports=uses, **more)


@pytest.mark.parametrize(("entries", "fires"), [(22_585, False), (22_586, True)])
def test_the_nodes_own_connections(entries: int, fires: bool) -> None:
    """Four fifths of its range; the edge is pinned."""
    assert bool(findings("CT-05", on_n3(use(entries=entries)))) is fires


def test_what_is_said() -> None:
    """Numbers, range, whose it is, and a fix that can be taken back."""
    (found,) = findings("CT-05", counted(on_n3(use(entries=28_000)), drop=7))
    assert found.title == "Source ports from 198.18.0.13 to 203.0.113.9:443/tcp are used up"
    assert found.confidence is Confidence.CERTAIN
    said = " | ".join(e.text for e in found.evidence)
    assert "28000 of 28232 source ports (99%) are taken, all in use" in said
    assert "range 32768-60999" in said
    assert "7 packets found no free port" in said
    assert found.fix.rollback == f"sysctl -w {PORT_RANGE}='32768 60999'"


def test_a_pods_connections() -> None:
    """A pod of this node in the default range; with a wider one of its own it is silent."""
    busy = use(source=POD, client=POD, entries=27_000)
    assert len(findings("CT-05", on_n3(busy))) == 1
    wide = use(source=POD, client=POD, entries=27_000, lowest=1025)
    assert findings("CT-05", on_n3(wide)) == []


def test_a_rule_with_a_narrow_range() -> None:
    """45 of 51 ports: the rule's range counts, not the machine's."""
    shared = use(client=None, entries=45, translated=45, lowest=40000, highest=40050)
    (found,) = findings("CT-05", with_rules(on_n3(shared), [NARROW]))
    assert "a rule translates with --to-ports 40000-40050" in found.evidence[1].text
    assert findings("CT-05", on_n3(shared)) == []  # without the rule there are 64,512


def test_a_range_that_other_ports_do_not_fit_is_another_rules() -> None:
    """Ports beyond the rule's range: it cannot be what translates here."""
    shared = use(client=None, entries=45, translated=45, lowest=40000, highest=52000)
    assert findings("CT-05", with_rules(on_n3(shared), [NARROW])) == []


def test_translated_connections_have_more_ports() -> None:
    """Many pods behind one address: 64,512 ports."""
    shared = use(client=None, entries=28_000, translated=28_000, lowest=1024, highest=65535)
    assert findings("CT-05", on_n3(shared)) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(use(source="203.0.113.50", client="203.0.113.50"), id="a client elsewhere"),
        pytest.param(use(protocol="udp", port=8472), id="the tunnel's own flows"),
        pytest.param(use(source="198.19.1.7", client="198.19.1.7"), id="a pod elsewhere"),
    ],
)
def test_ports_of_others_are_theirs_to_count(other: Any) -> None:
    """However many."""
    many = type(other)(**{f: getattr(other, f) for f in other.__slots__} | {"entries": 28_000})
    assert findings("CT-05", on_n3(many)) == []


def test_closed_connections_count_when_packets_are_lost() -> None:
    """TIME_WAIT in connection tracking outlives the socket."""
    closed = use(entries=28_000, closed=20_000)
    assert findings("CT-05", on_n3(closed)) == []
    assert len(findings("CT-05", counted(on_n3(closed), insert_failed=3))) == 1


def test_a_sample_stands_for_the_table() -> None:
    """A quarter of the table was read, and a quarter of the ports was in it."""
    part = use(entries=6_500)
    snapshot = counted(on_n3(part, read=16_384, complete=False), entries=4 * 16_384)
    (found,) = findings("CT-05", snapshot)
    assert found.evidence[0].text.startswith("some 26000 of 28232")
    assert findings("CT-05", counted(on_n3(part, read=16_384), entries=4 * 16_384)) == []
