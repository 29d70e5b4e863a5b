"""Snapshots recorded on the lab, and small changes to them: what check tests start from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.analysis.engine import Errored, Found, evaluate
from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Sysctls

FOLDER = Path(__file__).parent.parent / "fixtures" / "snapshots"
F = TypeVar("F")


@cache
def recorded(name: str) -> Snapshot:
    """One recorded snapshot of three nodes."""
    return load(str(FOLDER / f"{name}.json.gz"))


def healthy() -> Snapshot:
    """The lab with nothing broken."""
    return recorded("healthy")


def findings(check_id: str, snapshot: Snapshot) -> list[Finding]:
    """What one check finds; a check that breaks fails the test."""
    found: list[Finding] = []
    for cell in evaluate([catalogue()[check_id]], snapshot):
        assert not isinstance(cell.outcome, Errored), cell.outcome
        if isinstance(cell.outcome, Found):
            found += cell.outcome.findings
    return found


def outcomes(check_id: str, snapshot: Snapshot) -> set[str]:
    """Kinds of outcome of one check."""
    return {type(c.outcome).__name__ for c in evaluate([catalogue()[check_id]], snapshot)}


def judged(snapshot: Snapshot) -> Diagnosis:
    """The whole diagnosis."""
    return diagnose(snapshot, catalogue())


def node_fact(snapshot: Snapshot, node: str, cls: type[F]) -> F:
    """One node's fact."""
    return cast("F", snapshot.node_fact(node, KEYS[cls]))


def cluster_fact(snapshot: Snapshot, cls: type[F]) -> F:
    """One fact of the cluster."""
    return cast("F", snapshot.cluster_fact(KEYS[cls]))


def change_node(
    snapshot: Snapshot, node: str, cls: type[F], change: Callable[[F], object]
) -> Snapshot:
    """The snapshot with one node's fact replaced by what `change` makes of it."""
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        if report.name == node and envelope is not None:
            facts: dict[str, Any] = {**envelope.facts, KEYS[cls]: change(envelope.facts[KEYS[cls]])}
            envelope = dataclasses.replace(envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def change_cluster(snapshot: Snapshot, cls: type[F], change: Callable[[F], object]) -> Snapshot:
    """The snapshot with one fact of the cluster replaced."""
    key = KEYS[cls]
    return dataclasses.replace(
        snapshot, cluster={**snapshot.cluster, key: change(snapshot.cluster[key])}
    )


def change_items(cls: type[F], keep: Callable[[Any], Any]) -> Callable[[F], F]:
    """A change of every item of a fact; None drops the item."""

    def apply(fact: F) -> F:
        items = tuple(n for i in fact.items if (n := keep(i)) is not None)  # type: ignore[attr-defined]
        return cast("F", dataclasses.replace(cast("Any", fact), items=items))

    assert "items" in {f.name for f in dataclasses.fields(cast("Any", cls))}
    return apply


def without(snapshot: Snapshot, *classes: type[Any]) -> Snapshot:
    """The snapshot with these facts on no node, as if they had not been collected."""
    keys = {KEYS[cls] for cls in classes}
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        if envelope is not None:
            facts = {k: v for k, v in envelope.facts.items() if k not in keys}
            envelope = dataclasses.replace(envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def before(snapshot: Snapshot, seconds: float) -> str:
    """The time so many seconds before the run, as the API writes it."""
    started = datetime.fromisoformat(snapshot.run.started)
    return (started - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def sysctl(snapshot: Snapshot, node: str, name: str, value: object) -> Snapshot:
    """The snapshot with one kernel parameter of one node changed."""
    return change_node(
        snapshot, node, Sysctls, lambda s: Sysctls({**s.values, name: cast("Any", value)})
    )


def dns_written(snapshot: Snapshot, seconds: int) -> Snapshot:
    """Endpoints of cluster DNS were last written so many seconds before the run's start."""

    def change(one: ServiceChange) -> ServiceChange:
        written = before(snapshot, seconds) if one.name == "kube-dns" else one.written
        return dataclasses.replace(one, written=written)

    return change_cluster(snapshot, ServiceChanges, change_items(ServiceChanges, change))
