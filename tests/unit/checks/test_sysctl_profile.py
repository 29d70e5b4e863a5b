"""NODE-10."""

from __future__ import annotations

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.checks.sysctl_profile import PROFILE
from tests.unit.recorded import findings, healthy, judged, sysctl


def test_it_is_advice_and_never_a_finding() -> None:
    """Values below a tuning guide are no fault: the healthy lab has them and stays clean."""
    assert {f.severity for f in findings("NODE-10", healthy())} == {Severity.INFO}
    assert "NODE-10" not in {r.finding.id for r in judged(healthy()).findings}


def test_the_snippet_holds_only_what_is_below() -> None:
    """A node that meets the profile but for one value gets one line."""
    tuned = healthy()
    for name, value in PROFILE.items():
        tuned = sysctl(tuned, "n3", name, value)
    assert not [f for f in findings("NODE-10", tuned) if "n3" in f.nodes]
    one = sysctl(tuned, "n3", "net.core.rmem_max", "212992")
    (found,) = [f for f in findings("NODE-10", one) if "n3" in f.nodes]
    assert found.evidence[0].text == "net.core.rmem_max = 212992, profile 16777216"
    assert found.fix.commands[0].count("=") == 1


def test_higher_values_are_left_alone() -> None:
    """More than the profile is not less."""
    more = sysctl(healthy(), "n3", "net.ipv4.tcp_rmem", "4096 131072 33554432")
    texts = [e.text for f in findings("NODE-10", more) if "n3" in f.nodes for e in f.evidence]
    assert not any("tcp_rmem" in t for t in texts)
