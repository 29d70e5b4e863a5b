"""API-01."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_node, findings, healthy, judged, outcomes, recorded

TIMEOUT = {"timeout": 5}


def answers(
    snapshot: Snapshot, role: str, received: int, errors: dict[str, int] | None = None,
    node: str = "n3",
) -> Snapshot:  # fmt: skip
    """One node's connections of one role changed."""

    def one(probe: PathProbe) -> PathProbe:
        if probe.role != role:
            return probe
        lost = {"timeout": 5 - received} if received < 5 else {}
        return dataclasses.replace(
            probe, sent=5, received=received, errors=lost if errors is None else errors
        )

    return change_node(
        snapshot, node, PathProbes,
        lambda f: PathProbes(f.window_seconds, tuple(one(p) for p in f.items)),
    )  # fmt: skip


def dead_service(snapshot: Snapshot | None = None) -> Snapshot:
    """n3 reaches the endpoint and not the ClusterIP."""
    return answers(snapshot or healthy(), "api-service", 0)


def test_a_dead_cluster_ip_before_a_live_endpoint_fires() -> None:
    """On that node alone."""
    (found,) = findings("API-01", dead_service())
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.CERTAIN
    assert "0/5 connections (5 timeout)" in found.evidence[0].text
    assert "5/5 connections" in found.evidence[1].text


def test_with_a_shaky_endpoint_it_is_likely_only() -> None:
    """Chance may have sent every connection to the endpoint that does not answer."""
    (found,) = findings("API-01", answers(dead_service(), "api-server", 2))
    assert found.confidence is Confidence.LIKELY


@pytest.mark.parametrize("received", [1, 3, 5])
def test_some_answers_are_no_dead_address(received: int) -> None:
    """One endpoint in several that is dead gives such a picture."""
    assert findings("API-01", answers(healthy(), "api-service", received)) == []


def test_an_endpoint_that_is_silent_too_is_another_fault() -> None:
    """The way to the API server is broken, not the Service."""
    assert findings("API-01", answers(dead_service(), "api-server", 0)) == []


def test_a_node_without_a_way_is_silent() -> None:
    """Such as an IPv6 ClusterIP on a host without IPv6."""
    assert findings("API-01", answers(healthy(), "api-service", 0, {"no-route": 5})) == []


def test_nothing_probed_is_unknown() -> None:
    """Neither healthy nor broken."""
    none: Any = healthy()
    for name in ("n1", "n2", "n3"):
        none = change_node(none, name, PathProbes, lambda f: PathProbes(f.window_seconds, ()))
    assert outcomes("API-01", none) == {"Skipped"}


def test_a_missing_kube_proxy_explains_it() -> None:
    """SVC-01 on the same node is the cause."""
    rows = {r.finding.id: r for r in judged(dead_service(recorded("kube_proxy_gone"))).findings}
    assert rows["API-01"].caused_by == rows["SVC-01"].finding.key
