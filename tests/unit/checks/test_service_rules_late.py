"""SVC-11."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.cluster import ConfigMapInfo, ConfigMaps
from kubectl_netdoctor.facts.kube_proxy import KubeProxySync, RuleSync
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, findings, healthy, outcomes

NOW = 1_795_000_000.0


def synced(*families: RuleSync, **changes: Any) -> Snapshot:
    """n3's kube-proxy says this, the others are well."""
    well = KubeProxySync(1.0, ("S", "S"), 3, 3, True, NOW, (rules(600, 599),), {"endpoint": 0})
    ill = dataclasses.replace(well, **{"families": families or well.families, **changes})
    return with_sync(well, ill)


def with_sync(well: object, ill: object) -> Snapshot:
    """The lab with this fact on n3 and that one on the others."""
    snapshot = healthy()
    reports = []
    for report in snapshot.nodes:
        assert report.envelope
        fact = ill if report.name == "n3" else well
        facts = {**report.envelope.facts, KEYS[KubeProxySync]: fact}
        envelope = dataclasses.replace(report.envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def rules(queued_ago: float, synced_ago: float | None) -> RuleSync:
    """One family, by seconds before now."""
    return RuleSync("IPv4", NOW - queued_ago, None if synced_ago is None else NOW - synced_ago)


@pytest.mark.parametrize(("waited", "fires"), [(16.9, False), (17.0, True), (300.0, True)])
def test_a_change_that_waits_fires(waited: float, fires: bool) -> None:
    """15 s and twice what kube-proxy gathers changes for; the edge is pinned."""
    assert bool(findings("SVC-11", synced(rules(waited, 400.0)))) is fires


def test_what_is_said() -> None:
    """The measured times, what is pending, and the pod to look at."""
    (found,) = findings("SVC-11", synced(rules(42.0, 90.0), pending={"endpoint": 7, "service": 0}))
    assert found.nodes == {"n3"}
    assert (
        "a change has waited for 42 s, rules were last written 90 s ago" in found.evidence[0].text
    )
    assert found.evidence[1].text == "pending: 7 endpoint changes"
    assert "delete pod kube-proxy-" in found.fix.commands[1]


def test_rules_that_were_never_written_fire() -> None:
    """kube-proxy starts and cannot write."""
    (found,) = findings("SVC-11", synced(rules(42.0, None)))
    assert "last written never" in found.evidence[0].text


def test_a_long_min_sync_period_is_allowed_for() -> None:
    """The administrator has asked for it."""
    slow = "iptables:\n  minSyncPeriod: 1m30s\n"
    item = ConfigMapInfo("kube-system", "kube-proxy", {"config.conf": slow})
    waiting = synced(rules(42.0, 90.0))
    assert (
        findings("SVC-11", change_cluster(waiting, ConfigMaps, lambda _: ConfigMaps((item,)))) == []
    )


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(synced(), id="nothing changed for ten minutes"),
        pytest.param(
            synced(rules(0.5, 3600.0), pending={"endpoint": 1}), id="a change of just now"
        ),
        pytest.param(synced(rules(300.0, 300.0)), id="written in the same moment"),
        pytest.param(synced(state=("T", "S")), id="stopped for a moment"),
        pytest.param(synced(state=("S", "D"), asked=3, answered=2), id="one answer was late"),
        pytest.param(synced(state=(), asked=3, answered=1), id="its process is not seen"),
    ],
)
def test_look_alikes_are_silent(snapshot: Snapshot) -> None:
    """Old rules are right where nothing has changed."""
    assert findings("SVC-11", snapshot) == []


def test_a_stopped_process_fires() -> None:
    """At both ends of the window."""
    (found,) = findings("SVC-11", synced(state=("T", "T"), asked=2, answered=0, families=()))
    assert "kube-proxy is stopped" in found.title
    assert found.confidence is Confidence.CERTAIN


def test_a_process_that_never_answers_fires() -> None:
    """Its ports take connections, and nothing comes, twice."""
    (found,) = findings("SVC-11", synced(state=("S", "S"), asked=2, answered=0, families=()))
    assert "kube-proxy hangs" in found.title
    assert found.confidence is Confidence.LIKELY


def test_a_process_without_cpu_time_does_not_hang() -> None:
    """It has a question and waits for a CPU; where no process is seen nobody knows."""
    for state in (("S", "R"), ()):
        busy = synced(state=state, asked=2, answered=0, families=())
        assert findings("SVC-11", busy) == []
        assert "Skipped" in outcomes("SVC-11", busy)


def test_metrics_that_cannot_be_read_are_inconclusive() -> None:
    """The setting metricsBindAddress is set to something else: nothing is known, and that is no fault."""
    unread = synced(families=(RuleSync("IPv4", None, None),), asked=2, answered=2)
    assert findings("SVC-11", unread) == []
    closed = with_sync(
        *[dataclasses.replace(KubeProxySync(1.0, ("S",), 2, 2, True, NOW, (), {}))] * 2
    )
    assert findings("SVC-11", closed) == []
    assert outcomes("SVC-11", closed) == {"Skipped"}


def test_a_node_without_kube_proxy_is_skipped() -> None:
    """Cilium, kube-router: its absence is not judged here."""
    gone = Missing(Reason.NOT_PRESENT, "no kube-proxy process")
    assert findings("SVC-11", with_sync(gone, gone)) == []
