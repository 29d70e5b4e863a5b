"""CT-01."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.netfilter import Conntrack
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
