"""Evaluate checks on a snapshot: once per node, or once for the cluster, as their needs say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks.base import CLUSTER, Check, Finding, Inconclusive, Need, PerNode, node
from kubectl_netdoctor.facts.base import FACTS, KEYS, Missing, Reason, Scope
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.snapshot import NodeReport, RunInfo, Snapshot


@dataclass(frozen=True, slots=True)
class Passed:
    """The check ran and found nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """The check ran and found something."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """The check could not run: what was missing, and why."""

    need: str
    missing: Missing


@dataclass(frozen=True, slots=True)
class Errored:
    """The check itself broke: a bug of ours, neither a finding nor a pass."""

    error: str


Outcome = Passed | Found | Skipped | Errored


@dataclass(frozen=True, slots=True)
class Covered:
    """One cell of the coverage ledger; `node` is None for a check of the whole cluster."""

    check: Check
    node: str | None
    outcome: Outcome


def evaluate(checks: Iterable[Check], snapshot: Snapshot) -> Iterator[Covered]:
    """Run every check wherever it applies."""
    names = [report.name for report in snapshot.nodes]
    for check in checks:
        if is_per_node(check):
            for name in names:
                yield Covered(check, name, run_check(check, snapshot, name))
        else:
            yield Covered(check, None, run_check(check, snapshot, None))


def is_per_node(check: Check) -> bool:
    """Whether a check judges one node at a time."""
    return any(scope_of(need) is Scope.NODE for need in check.needs.values() if not need.per_node)


def scope_of(need: Need) -> Scope:
    """Whether a need is a node's or the cluster's."""
    if need.type in (NodeInfo, NodeReport):
        return Scope.NODE
    if need.type is RunInfo:
        return Scope.CLUSTER
    return FACTS[KEYS[need.type]].scope


def name_of(need: Need) -> str:
    """What a need is called in reports."""
    return KEYS.get(need.type, "node")


def run_check(check: Check, snapshot: Snapshot, name: str | None) -> Outcome:
    """One outcome; an exception inside the check costs this check only."""
    arguments: dict[str, object] = {}
    # Without a cluster that is the reason to name, whatever else is missing.
    for parameter, need in sorted(check.needs.items(), key=lambda n: scope_of(n[1])):
        got = resolve(need, snapshot, name)
        if isinstance(got, Missing) and not need.optional:
            return Skipped(name_of(need), got)
        arguments[parameter] = None if isinstance(got, Missing) else got
    try:
        found = tuple(bind(f, check, name) for f in check.function(**arguments))
    except Inconclusive as exc:
        return Skipped("evidence", Missing(Reason.NOT_PRESENT, str(exc)))
    except Exception as exc:  # noqa: BLE001  # one bad check must not cost the run
        return Errored(f"{type(exc).__name__}: {exc}")
    return Found(found) if found else Passed()


def resolve(need: Need, snapshot: Snapshot, name: str | None) -> object:
    """The value of one need, or Missing."""
    if need.per_node:
        return _of_all_nodes(need, snapshot)
    if need.type is RunInfo:
        return snapshot.run
    if need.type is NodeReport:
        return next(report for report in snapshot.nodes if report.name == name)
    if need.type is NodeInfo:
        nodes = snapshot.cluster_fact(KEYS[Nodes])
        if not isinstance(nodes, Nodes):
            return nodes
        return nodes.named(name or "") or Missing(Reason.NOT_PRESENT, "the API has no such Node")
    key = KEYS[need.type]
    if FACTS[key].scope is Scope.CLUSTER:
        return snapshot.cluster_fact(key)
    return snapshot.node_fact(name or "", key)


def _of_all_nodes(need: Need, snapshot: Snapshot) -> object:
    key = KEYS[need.type]
    facts = {report.name: snapshot.node_fact(report.name, key) for report in snapshot.nodes}
    present = PerNode({n: f for n, f in facts.items() if not isinstance(f, Missing)})
    if present or not facts:
        return present or Missing(Reason.NOT_REPORTED, "no node was asked")
    return next(f for f in facts.values() if isinstance(f, Missing))


def bind(finding: Finding, check: Check, name: str | None) -> Finding:
    """Fill in what the check left to the engine."""
    default = node(name) if name else CLUSTER
    return dataclasses.replace(
        finding,
        id=check.id,
        severity=finding.severity or check.severity,
        subjects=finding.subjects or (default,),
        evidence=tuple(
            dataclasses.replace(e, node=name) if e.node is None and name else e
            for e in finding.evidence
        ),
        scope=finding.scope or (f"on {name}" if name else "the whole cluster"),
    )
