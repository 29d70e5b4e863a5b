"""CT-01."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.conntrack_flows import Share
from kubectl_netdoctor.facts.netfilter import Conntrack
from tests.unit.conntrack_samples import counted, with_flows
from tests.unit.recorded import change_node, findings, healthy


@pytest.mark.parametrize(
    ("entries", "limit", "expected"),
    [(74, 100, None), (75, 100, Severity.HIGH), (89, 100, Severity.HIGH), (90, 100, Severity.CRITICAL),
     (9, 0, None), (0, 10, None)],
)  # fmt: skip
def test_severity_follows_the_fill(entries: int, limit: int, expected: Severity | None) -> None:
    """Edges are pinned; no limit is no fault."""
    full = change_node(
        healthy(), "n3", Conntrack, lambda _: Conntrack(1.0, entries, limit, 100, {"drop": 0})
    )
    assert [f.severity for f in findings("CT-01", full)] == ([expected] if expected else [])


def test_drops_are_told_as_numbers_of_the_window() -> None:
    """The delta, with its time."""
    full = change_node(
        healthy(), "n3", Conntrack, lambda _: Conntrack(2.0, 99, 100, 100, {"drop": 12})
    )
    (found,) = findings("CT-01", full)
    assert "12 packets dropped for lack of an entry in 2.0 s" in found.evidence[1].text


def test_lifetime_counters_do_not_matter() -> None:
    """insert_failed and early_drop without a full table are background."""
    noisy = {"insert_failed": 400, "early_drop": 9, "invalid": 12, "drop": 0}
    busy = change_node(healthy(), "n3", Conntrack, lambda _: Conntrack(1.0, 10, 100, 100, noisy))
    assert findings("CT-01", busy) == []


def test_who_fills_the_table_is_told() -> None:
    """Clients, destinations and states with most entries."""
    flows = with_flows(clients=(Share("10.244.1.4", 70), Share("10.244.1.5", 9)))
    (found,) = findings("CT-01", counted(flows, entries=250_000))
    said = [e.text for e in found.evidence]
    assert "clients with most of 100 entries: 10.244.1.4 70, 10.244.1.5 9" in said
    assert "destinations with most: 10.96.0.10:53/udp 40" in said
    assert "states with most: tcp ESTABLISHED 60, udp 40" in said


def test_a_sample_is_called_one() -> None:
    """The table is larger than what was read."""
    flows = with_flows(read=16_384, complete=False)
    (found,) = findings("CT-01", counted(flows, entries=250_000))
    assert any("of 16384 entries, a random sample" in e.text for e in found.evidence)
