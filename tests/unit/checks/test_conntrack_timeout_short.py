"""CT-06."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.checks.conntrack_timeout_short import ESTABLISHED
from kubectl_netdoctor.facts.base import Missing, Reason
from tests.unit.recorded import findings, healthy, outcomes, sysctl


@pytest.mark.parametrize("value", ["30", "599"])
def test_a_short_time_out_fires(value: str) -> None:
    """As a lead, on the node that has it."""
    (found,) = list(findings("CT-06", sysctl(healthy(), "n3", ESTABLISHED, value)))
    assert found.nodes == {"n3"}
    assert found.severity is Severity.LOW


@pytest.mark.parametrize("value", ["600", "86400", "432000"])
def test_usual_values_are_silent(value: str) -> None:
    """kube-proxy's, the kernel's, and ten minutes."""
    assert findings("CT-06", sysctl(healthy(), "n3", ESTABLISHED, value)) == []


def test_an_unread_value_is_unknown() -> None:
    """Neither healthy nor broken."""
    unread = sysctl(healthy(), "n3", ESTABLISHED, Missing(Reason.NOT_PRESENT, "no conntrack"))
    assert findings("CT-06", unread) == []
    assert "Skipped" in outcomes("CT-06", unread)
