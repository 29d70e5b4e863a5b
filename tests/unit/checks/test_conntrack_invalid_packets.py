"""CT-03."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.conntrack_invalid_packets import LIBERAL
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import ProtocolCounters
from tests.unit.checks.service_samples import with_rules, without_rules
from tests.unit.conntrack_samples import counted
from tests.unit.recorded import change_node, findings, healthy, outcomes, sysctl

RULE = "filter INPUT -m state --state INVALID,UNTRACKED -j DROP"


def unprotected(invalid: int, *, liberal: object = "0", came: int = 1000) -> Snapshot:
    """n3 without kube-proxy's rule, and this many invalid packets in the window."""
    bare = without_rules(sysctl(healthy(), "n3", LIBERAL, liberal), "INVALID")
    bare = change_node(
        bare, "n3", ProtocolCounters, lambda _: ProtocolCounters(1.0, {"Ip.InReceives": came})
    )
    return counted(bare, invalid=invalid)


@pytest.mark.parametrize(("invalid", "fires"), [(19, False), (20, True), (400, True)])
def test_more_than_a_handful_fires(invalid: int, fires: bool) -> None:
    """The edge is pinned."""
    assert bool(findings("CT-03", unprotected(invalid))) is fires


def test_what_is_said() -> None:
    """The delta with its time, and why it matters here."""
    (found,) = findings("CT-03", unprotected(200))
    assert found.nodes == {"n3"}
    assert "200 packets called invalid in 1.0 s, of 1000 that came in" in found.evidence[0].text


def test_with_kube_proxys_rule_it_is_silent() -> None:
    """Invalid packets are dropped, as they should be."""
    guarded = counted(sysctl(healthy(), "n3", LIBERAL, "0"), invalid=5000)
    assert findings("CT-03", guarded) == []


def test_a_rule_of_somebody_else_protects_too() -> None:
    """Any rule that drops the state."""
    assert findings("CT-03", with_rules(unprotected(200), [RULE])) == []


def test_liberal_tracking_is_silent() -> None:
    """What is out of the window is then not invalid."""
    assert findings("CT-03", unprotected(200, liberal="1")) == []


def test_a_small_share_of_a_busy_node_is_silent() -> None:
    """Late FIN and RST packets grow with the traffic."""
    assert findings("CT-03", unprotected(200, came=1_000_000)) == []


def test_an_unknown_setting_is_inconclusive() -> None:
    """Not OK, and no finding."""
    unread = unprotected(200, liberal=Missing(Reason.DENIED, "no"))
    assert findings("CT-03", unread) == []
    assert "Skipped" in outcomes("CT-03", unread)
