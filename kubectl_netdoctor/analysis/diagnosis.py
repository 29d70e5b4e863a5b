"""The whole judgement of one snapshot: what every report renders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netdoctor.analysis import unmeasured
from kubectl_netdoctor.analysis.crowding import crowded
from kubectl_netdoctor.analysis.engine import Covered, Errored, Found, Skipped, evaluate
from kubectl_netdoctor.analysis.last_seen import with_last_seen
from kubectl_netdoctor.analysis.ranking import Ranked, rank
from kubectl_netdoctor.checks.base import Check, Severity
from kubectl_netdoctor.errors import ExitCode
from kubectl_netdoctor.facts.base import FACTS, Reason, Scope
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus, Snapshot

# Absences that leave the verdict open. What a kernel or a cluster simply does not have, or what was
# not asked for, closes nothing.
OPEN = (Reason.TIMED_OUT, Reason.FAILED, Reason.NOT_REPORTED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line for the first screen. `complete`: everything that was asked could be measured."""

    text: str
    worst: Severity | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that somebody has accepted: why, and until which day."""

    ranked: Ranked
    reason: str
    expires: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings and advice in rank order, the coverage ledger, and the verdict.

    `notes`: what is wrong with the file of suppressions.
    """

    snapshot: Snapshot
    verdict: Verdict
    findings: tuple[Ranked, ...]
    advice: tuple[Ranked, ...]
    coverage: tuple[Covered, ...]
    suppressed: tuple[Suppressed, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def silent(self) -> tuple[NodeReport, ...]:
        """Nodes that did not answer."""
        return silent(self.snapshot)

    @property
    def causes(self) -> tuple[Ranked, ...]:
        """Findings that no other one explains."""
        return tuple(r for r in self.findings if r.caused_by is None)

    def exit_code(self, fail_on: Severity) -> ExitCode:
        """What the process returns; findings win over gaps."""
        if any(r.severity.rank <= fail_on.rank for r in self.findings):
            return ExitCode.FINDINGS
        return ExitCode.CLEAN if self.verdict.complete else ExitCode.INCOMPLETE


def diagnose(snapshot: Snapshot, checks: Mapping[str, Check]) -> Diagnosis:
    """Judge a snapshot. Pure: the same snapshot and checks give the same diagnosis."""
    coverage = tuple(evaluate(checks.values(), snapshot))
    found = [
        f for cell in coverage if isinstance(cell.outcome, Found) for f in cell.outcome.findings
    ]
    found = list(with_last_seen(crowded(found), snapshot))
    rows = rank((f for f in found if f.severity is not Severity.INFO), checks)
    advice = rank((f for f in found if f.severity is Severity.INFO), checks)
    return Diagnosis(snapshot, verdict(snapshot, rows, coverage), rows, advice, coverage)


def verdict(snapshot: Snapshot, rows: tuple[Ranked, ...], coverage: tuple[Covered, ...]) -> Verdict:
    """Say what was found, and never `healthy` where something decisive was not measured."""
    unanswered = silent(snapshot)
    gaps = [cell for cell in coverage if is_gap(cell, snapshot)]
    causes = [r for r in rows if r.caused_by is None]
    parts = [_found(rows, causes)] if causes else []
    blind = unmeasured.blind(snapshot, coverage, OPEN)
    parts += _unmeasured(snapshot, coverage, gaps, blind, everything=not causes)
    if unanswered:
        parts.append(f"{len(unanswered)} of {len(snapshot.nodes)} nodes did not answer")
    if unseen := unmeasured.paths(snapshot, coverage):
        parts.append(unseen)
    worst = causes[0].severity if causes else None
    return Verdict("; ".join(parts), worst, not unanswered and not gaps and not blind)


def _found(rows: Sequence[Ranked], causes: Sequence[Ranked]) -> str:
    """The first cause, how many there are of each severity, and how many rows they explain."""
    counts = Counter(r.severity for r in causes)
    kinds = ", ".join(f"{counts[s]} {s}" for s in Severity if counts[s])
    folded = len(rows) - len(causes)
    more = f"; {folded} more explained by them" if folded else ""
    return f"{kinds}: {causes[0].finding.title}{more}"


def _unmeasured(
    snapshot: Snapshot,
    coverage: Sequence[Covered],
    gaps: Sequence[Covered],
    blind: Mapping[str, str],
    *,
    everything: bool,
) -> Iterator[str]:
    """How many checks ran, and why the others did not; beside findings only what is a gap."""
    total = len({c.check.id for c in coverage})
    lost = unmeasured.nowhere(coverage)
    noun = "" if everything else " checks"
    if not everything:
        lost = {i: why for i, why in lost.items() if i in {c.check.id for c in gaps}}
    elif len(lost) == total:
        yield f"none of {total} checks could run: {unmeasured.told(lost)}" if total else "no checks"
        return
    else:
        yield f"nothing found in {total - len(lost)} of {total} checks"
    if lost:
        yield f"{len(lost)}{noun} could not run: {unmeasured.told(lost)}"
    dumb = {n.name for n in silent(snapshot)}
    if partly := unmeasured.partly([c for c in gaps if c.node not in dumb], blind, coverage):
        yield f"{len(partly)}{noun} not on every node: {unmeasured.told(partly)}"


def silent(snapshot: Snapshot) -> tuple[NodeReport, ...]:
    """Nodes without any facts."""
    dumb = (NodeStatus.NOT_REACHED, NodeStatus.FAILED)
    return tuple(n for n in snapshot.nodes if n.status in dumb)


def is_gap(cell: Covered, snapshot: Snapshot) -> bool:
    """Whether this cell leaves the verdict open."""
    if isinstance(cell.outcome, Errored):
        return True
    if not isinstance(cell.outcome, Skipped):
        return False
    missing = cell.outcome.missing
    known = FACTS.get(cell.outcome.need)
    from_api = known is not None and known.scope is Scope.CLUSTER and not snapshot.run.local
    return missing.reason in OPEN or (from_api and missing.reason is Reason.DENIED)


def skipped(coverage: Iterable[Covered]) -> dict[str, list[Covered]]:
    """Skipped cells by the reason that people read."""
    out: dict[str, list[Covered]] = {}
    for cell in coverage:
        if isinstance(cell.outcome, Skipped):
            out.setdefault(cell.outcome.missing.detail, []).append(cell)
    return out
