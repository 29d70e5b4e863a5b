"""Fold symptoms under their cause, merge what is the same on several nodes, put in one order.

The order is total and explainable: severity, confidence, how deep the fault sits on the
reachability ladder, how many subjects, then names. No weights.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netdoctor.checks.base import Check, Evidence, Finding, Severity, Subject

# What stands on what: a broken lower rung breaks everything above it.
LADDER = (
    "NIC", "CLD", "RTE", "NF", "ENC", "CAL", "CIL", "MTU", "CT", "CNI",
    "SVC", "POL", "V6", "DNS", "API", "NODE", "TCP", "MSH", "ING", "TGT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row: a finding, the key of its cause, and the keys of what it explains."""

    finding: Finding
    caused_by: str | None
    explains: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """The finding's severity, never None after the engine."""
        return self.finding.severity or Severity.INFO


def rank(findings: Iterable[Finding], checks: Mapping[str, Check]) -> tuple[Ranked, ...]:
    """All findings in rank order, causes first, then what they explain."""
    ordered = sorted(findings, key=sort_key)
    causes = {f.key: cause_of(f, ordered, checks) for f in ordered}
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in ordered:
        root = root_of(finding.key, causes)
        groups[(root, *merge_key(finding))].append(finding)
    merged = {key: merge(group) for key, group in groups.items()}
    new_key = {f.key: merged[g].key for g, group in groups.items() for f in group}
    explained: dict[str, list[str]] = defaultdict(list)
    worst: dict[str, Severity] = {}
    for key, finding in merged.items():
        if isinstance(key[0], str):
            cause = new_key[key[0]]
            explained[cause].append(finding.key)
            worst[cause] = min(
                worst.get(cause, finding.severity or Severity.INFO),
                finding.severity or Severity.INFO,
                key=lambda s: s.rank,
            )
    rows = [
        Ranked(
            raised(finding, worst.get(finding.key)),
            new_key[key[0]] if isinstance(key[0], str) else None,
            tuple(sorted(explained[finding.key])),
        )
        for key, finding in merged.items()
    ]
    return tuple(sorted(rows, key=lambda r: (r.caused_by is not None, *sort_key(r.finding))))


def sort_key(finding: Finding) -> tuple[object, ...]:
    """The one order of findings."""
    area = finding.id.split("-", maxsplit=1)[0]
    return (
        (finding.severity or Severity.INFO).rank,
        finding.confidence.rank,
        LADDER.index(area) if area in LADDER else len(LADDER),
        -len(finding.subjects),
        finding.id,
        finding.subjects_text,
        finding.title,
    )


def cause_of(
    symptom: Finding, candidates: Sequence[Finding], checks: Mapping[str, Check]
) -> str | None:
    """Key of the first finding in order that explains this one, None for a cause."""
    for cause in candidates:
        known = checks.get(cause.id)
        if (
            known
            and cause.key != symptom.key
            and symptom.id in known.explains
            and covers(cause, symptom)
        ):
            return cause.key
    return None


def covers(cause: Finding, symptom: Finding) -> bool:
    """Whether every place where the symptom was seen is a place of the cause.

    A cause without nodes is the whole cluster's. A cause seen on directed pairs covers these pairs,
    either way round, since a probe needs its answer; one about nodes covers all that touches them.
    """
    if not cause.nodes:
        return True
    if symptom.paths:
        if cause.paths:
            both_ways = set(cause.paths) | {(b, a) for a, b in cause.paths}
            return set(symptom.paths) <= both_ways
        return all(cause.nodes & set(path) for path in symptom.paths)
    return bool(symptom.nodes) and symptom.nodes <= cause.nodes


def root_of(key: str, causes: Mapping[str, str | None]) -> str | None:
    """Follow causes to the first one; None where the finding is its own cause."""
    seen = {key}
    current = causes[key]
    root = None
    while current is not None and current not in seen:
        seen.add(current)
        root, current = current, causes[current]
    return root


def merge_key(finding: Finding) -> tuple[object, ...]:
    """Findings with equal keys are one row: the same fault on several nodes."""
    if finding.paths or any(s.kind != "Node" for s in finding.subjects):
        return (finding.key, finding.title)
    return (finding.id, finding.title, finding.severity, finding.confidence, finding.fix)


def merge(group: Sequence[Finding]) -> Finding:
    """One row from the same finding on several nodes."""
    first = group[0]
    if len(group) == 1:
        return first
    subjects: dict[Subject, None] = {}
    evidence: dict[Evidence, None] = {}
    for finding in group:
        subjects.update(dict.fromkeys(finding.subjects))
        evidence.update(dict.fromkeys(finding.evidence))
    ordered = tuple(sorted(subjects, key=lambda s: (s.kind, s.name)))
    return dataclasses.replace(
        first,
        subjects=ordered,
        evidence=tuple(evidence),
        scope=f"on {len(ordered)} nodes: {', '.join(s.name for s in ordered)}",
    )


def raised(finding: Finding, worst: Severity | None) -> Finding:
    """A cause is as severe as the worst that it explains."""
    own = finding.severity or Severity.INFO
    if worst is None or worst.rank >= own.rank:
        return finding
    return dataclasses.replace(finding, severity=worst)
