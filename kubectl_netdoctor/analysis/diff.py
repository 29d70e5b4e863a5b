"""What changed between two snapshots: pure, on the diagnoses of both.

A finding that is gone is fixed only where the same check could have seen it again. Where its nodes or
its facts are not there any more, or what explained it still is, it is no longer measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.analysis.comparable import doubts
from kubectl_netdoctor.analysis.diagnosis import OPEN, Diagnosis
from kubectl_netdoctor.analysis.engine import (
    Covered,
    Errored,
    Found,
    Passed,
    Skipped,
    is_per_node,
    resolve,
)
from kubectl_netdoctor.analysis.numbers import moved
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Check, Finding, Need
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot


@dataclass(frozen=True, slots=True)
class Changed:
    """One finding of both; `changes` says what differs, each as one sentence; empty: nothing."""

    before: Ranked
    after: Ranked
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A finding of before that nobody could have seen again, and why."""

    before: Ranked
    reason: str


@dataclass(frozen=True, slots=True)
class LostCoverage:
    """A check that passed before and did not run now; `node` is None for the whole cluster."""

    check: str
    node: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Diff:
    """All findings of both, each in one place and in rank order. Advice is no fault: left out.

    `warnings`: what makes the comparison doubtful, each as one sentence.
    """

    before: Diagnosis
    after: Diagnosis
    fixed: tuple[Ranked, ...]
    new: tuple[Ranked, ...]
    changed: tuple[Changed, ...]
    unchanged: tuple[Changed, ...]
    unmeasured: tuple[Unmeasured, ...]
    lost: tuple[LostCoverage, ...]
    warnings: tuple[str, ...]

    @property
    def different(self) -> bool:
        """Whether any finding is other than before; what merely was not measured counts too."""
        return bool(self.fixed or self.new or self.changed or self.unmeasured)


def diff(before: Diagnosis, after: Diagnosis) -> Diff:
    """Compare two diagnoses of the same checks."""
    old, fresh = list(before.findings), list(after.findings)
    pairs = list(_pairs(old, fresh))
    kept = [Changed(a, b, tuple(_changes(a, b))) for a, b in pairs]
    still = {a.finding.key: a.finding.id for a, _ in pairs}
    gone = [
        (r, _remains(r, still) or _blind(r.finding, before, after))
        for r in old
        if r not in [a for a, _ in pairs]
    ]
    return Diff(
        before,
        after,
        fixed=tuple(r for r, why in gone if why is None),
        new=tuple(r for r in fresh if r not in [b for _, b in pairs]),
        changed=tuple(c for c in kept if c.changes),
        unchanged=tuple(c for c in kept if not c.changes),
        unmeasured=tuple(Unmeasured(r, why) for r, why in gone if why is not None),
        lost=tuple(_lost(before, after)),
        warnings=tuple(doubts(before.snapshot, after.snapshot)),
    )


def _remains(row: Ranked, still: Mapping[str, str]) -> str | None:
    """Why a symptom that is gone is not called fixed: its cause is there yet, it was missed."""
    cause = still.get(row.caused_by or "")
    return f"{cause}, which explains it, is still there" if cause else None


def _pairs(old: list[Ranked], fresh: list[Ranked]) -> Iterator[tuple[Ranked, Ranked]]:
    """The same finding in both: by key and title, by key, then by ID and a common subject."""
    left, right = list(old), list(fresh)
    same = (
        lambda a, b: (a.key, a.title) == (b.key, b.title),
        lambda a, b: a.key == b.key,
        lambda a, b: a.id == b.id and a.title == b.title and set(a.subjects) & set(b.subjects),
        lambda a, b: a.id == b.id and set(a.subjects) & set(b.subjects),
    )
    for fits in same:
        for was in tuple(left):
            now = next((r for r in right if fits(was.finding, r.finding)), None)
            if now is not None:
                left.remove(was)
                right.remove(now)
                yield was, now


def _changes(was: Ranked, now: Ranked) -> Iterator[str]:
    """What differs, in the order of weight."""
    if was.severity is not now.severity:
        yield f"severity {was.severity.value}, now {now.severity.value}"
    if was.finding.confidence is not now.finding.confidence:
        yield f"confidence {was.finding.confidence.value}, now {now.finding.confidence.value}"
    if was.finding.title != now.finding.title:
        yield f"was: {was.finding.title}"
    earlier, later = set(was.finding.subjects), set(now.finding.subjects)
    if less := sorted(s.name for s in earlier - later):
        yield f"no longer on {', '.join(less)}"
    if more := sorted(s.name for s in later - earlier):
        yield f"now also on {', '.join(more)}"
    if _id(was.caused_by) != _id(now.caused_by):
        yield f"explained by {_id(was.caused_by)}, now by {_id(now.caused_by)}"
    yield from moved(was.finding.evidence, now.finding.evidence)


def _id(key: str | None) -> str:
    return key.partition("@")[0] if key else "nothing"


def _blind(finding: Finding, before: Diagnosis, after: Diagnosis) -> str | None:
    """Why nobody could have seen this finding again; None where somebody could."""
    nodes = _nodes(finding)
    heard, still = _answered(before.snapshot), _answered(after.snapshot)
    if silent := sorted((nodes & heard) - still):
        asked = {n.name: n for n in after.snapshot.nodes}
        node = asked.get(silent[0])
        why = "was not scanned" if node is None else f"did not answer: {node.reason or 'no reason'}"
        return f"{silent[0]} {why}"
    cells = [c for c in after.coverage if c.check.id == finding.id]
    if not cells:
        return "the check was not among those chosen"
    check = cells[0].check
    here = cells if not is_per_node(check) else [c for c in cells if c.node in finding.nodes]
    for cell in here:
        if reason := _not_run(cell):
            return f"{cell.node}: {reason}" if cell.node else reason
    return _lost_fact(check, nodes, before.snapshot, after.snapshot)


def _nodes(finding: Finding) -> set[str]:
    """Whatever nodes a finding rests on: its subjects, the ends of its paths, its witnesses."""
    witnesses = {e.node for e in finding.evidence if e.node}
    return set(finding.nodes) | {n for path in finding.paths for n in path} | witnesses


def _answered(snapshot: Snapshot) -> set[str]:
    there = (NodeStatus.ANSWERED, NodeStatus.SUMMARY)
    return {n.name for n in snapshot.nodes if n.status in there}


def _not_run(cell: Covered) -> str | None:
    match cell.outcome:
        case Skipped(_, missing):
            return missing.detail
        case Errored(error):
            return error
        case Passed() | Found():
            return None


def _lost_fact(check: Check, nodes: set[str], before: Snapshot, after: Snapshot) -> str | None:
    """A fact that the check had of one of these nodes, and now could not be read."""
    for need in check.needs.values():
        for name in sorted(nodes & _answered(after)) or [""]:
            was, now = _value(need, before, name), _value(need, after, name)
            if isinstance(now, Missing) and not isinstance(was, Missing):
                wanted = not need.optional and now.reason is not Reason.NOT_PRESENT
                if wanted or now.reason in (*OPEN, Reason.DENIED):
                    return f"{name}: {now.detail}" if name else now.detail
    return None


def _value(need: Need, snapshot: Snapshot, name: str) -> object:
    if not name:
        return resolve(need, snapshot, None) if need.per_node else None
    if need.per_node:
        return snapshot.node_fact(name, KEYS[need.type])
    return resolve(need, snapshot, name)


def _lost(before: Diagnosis, after: Diagnosis) -> Iterator[LostCoverage]:
    passed = {(c.check.id, c.node) for c in before.coverage if isinstance(c.outcome, Passed)}
    for cell in after.coverage:
        why = _not_run(cell)
        if why and (cell.check.id, cell.node) in passed:
            yield LostCoverage(cell.check.id, cell.node, why)


def roots(rows: Iterable[Ranked]) -> tuple[tuple[Ranked, tuple[Ranked, ...]], ...]:
    """Rows with what they explain among these rows; a symptom whose cause is elsewhere is a root."""
    rows = tuple(rows)
    keys = {r.finding.key for r in rows}
    return tuple(
        (r, tuple(s for s in rows if s.caused_by == r.finding.key and s is not r))
        for r in rows
        if r.caused_by is None or r.caused_by not in keys
    )
