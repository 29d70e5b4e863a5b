"""Fold symptoms under their cause, merge what is the same on several nodes, put in one order.

The order is total and explainable: severity, confidence, how deep the fault sits on the
reachability ladder, how many subjects, then names. No weights.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from kubectl_netdoctor.checks.base import Check, Evidence, Finding, Severity, Subject

# What stands on what: a broken lower rung breaks everything above it.
LADDER = (
    "NIC", "CLD", "RTE", "NF", "ENC", "CAL", "CIL", "MTU", "CT", "CNI",
    "SVC", "POL", "V6", "DNS", "API", "NODE", "TCP", "MSH", "ING", "TGT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row: a finding, the key of its cause, and the keys of what it explains.

    `raised_from`: its own severity, where something that it explains is worse.
    """

    finding: Finding
    caused_by: str | None
    explains: tuple[str, ...]
    raised_from: Severity | None = None

    @property
    def severity(self) -> Severity:
        """The finding's severity, never None after the engine."""
        return self.finding.severity or Severity.INFO


class Place(NamedTuple):
    """What decides the order of two findings, in this order; lower stands first."""

    severity: int
    confidence: int
    rung: int
    subjects: int
    id: str
    where: str
    title: str


class Reach(Enum):
    """Why a symptom's places are places of its cause."""

    EVERYWHERE = auto()
    PAIRS = auto()
    ENDS = auto()
    NODES = auto()


def rank(findings: Iterable[Finding], checks: Mapping[str, Check]) -> tuple[Ranked, ...]:
    """All findings in rank order, causes first, then what they explain."""
    ordered = sorted(findings, key=sort_key)
    causes = causes_of(ordered, checks)
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
        raised(
            Ranked(
                finding,
                new_key[key[0]] if isinstance(key[0], str) else None,
                tuple(sorted(explained[finding.key])),
            ),
            worst.get(finding.key),
        )
        for key, finding in merged.items()
    ]
    return tuple(sorted(rows, key=lambda r: (r.caused_by is not None, *sort_key(r.finding))))


def sort_key(finding: Finding) -> Place:
    """The one order of findings."""
    return Place(
        severity=(finding.severity or Severity.INFO).rank,
        confidence=finding.confidence.rank,
        rung=rung(finding),
        subjects=-len(finding.subjects),
        id=finding.id,
        where=finding.subjects_text,
        title=finding.title,
    )


def rung(finding: Finding) -> int:
    """Where a finding's area stands on the ladder; 0 at its foot."""
    area = finding.id.split("-", maxsplit=1)[0]
    return LADDER.index(area) if area in LADDER else len(LADDER)


def causes_of(ordered: Sequence[Finding], checks: Mapping[str, Check]) -> dict[str, str | None]:
    """The key of what explains each finding, by its key; None for a cause.

    Of several that explain it, the first in order that nothing explains itself, else the first.
    """
    found: dict[str, str | None] = {}
    candidates = Candidates(ordered, checks)

    def look(symptom: Finding) -> str | None:
        key = symptom.key
        if key not in found:
            found[key] = None  # checks explain no circles; broken ones must not hang us
            known = explaining(symptom, candidates.of(symptom), checks)
            roots = [c.key for c in known if look(c) is None]
            found[key] = next(iter(roots or (c.key for c in known)), None)
        return found[key]

    for finding in ordered:
        look(finding)
    return found


class Candidates:
    """What may explain a finding, without a look at all others: by ID, and by a place of both."""

    def __init__(self, ordered: Sequence[Finding], checks: Mapping[str, Check]) -> None:
        self._ordered = ordered
        self._above: dict[str, list[str]] = defaultdict(list)
        self._at: dict[tuple[str, str | None], list[int]] = defaultdict(list)
        for check_id in dict.fromkeys(f.id for f in ordered if f.id in checks):
            for symptom in checks[check_id].explains:
                self._above[symptom].append(check_id)
        for index, finding in enumerate(ordered):
            touched = {*finding.nodes, *(n for path in finding.paths for n in path)}
            for name in touched if finding.nodes else (None,):  # None: the whole cluster's
                self._at[finding.id, name].append(index)

    def of(self, symptom: Finding) -> list[Finding]:
        """In the order of all."""
        ends = {n for path in symptom.paths for n in path}
        names = (None, *(ends or symptom.nodes))
        above = self._above.get(symptom.id, ())
        found = {i for c in above for name in names for i in self._at.get((c, name), ())}
        return [self._ordered[i] for i in sorted(found)]


def explaining(
    symptom: Finding, candidates: Iterable[Finding], checks: Mapping[str, Check]
) -> list[Finding]:
    """What explains a finding, in the order of the candidates.

    Where none covers all of its places, several may do so together: two faults on two nodes cut all
    pairs of three.
    """
    key = symptom.key
    able = [
        c
        for c in candidates
        if c.id in checks and symptom.id in checks[c.id].explains and c.key != key
    ]
    alone = [c for c in able if covers(c, symptom)]
    if alone:
        return alone
    shares = [(c, covered(c, symptom)) for c in able]
    together = set().union(*(places for _, places in shares))
    whole = bool(together) and together == places_of(symptom)
    return [c for c, places in shares if places] if whole else []


def places_of(finding: Finding) -> AbstractSet[object]:
    """The pairs on which it was seen or, without pairs, the nodes."""
    return frozenset(finding.paths) or finding.nodes


def covered(cause: Finding, symptom: Finding) -> AbstractSet[object]:
    """Those places of a symptom that are places of the cause too.

    A cause without nodes is the whole cluster's. A cause seen on directed pairs covers these pairs,
    either way round, since a probe needs its answer; one about nodes covers all that touches them.
    """
    if not cause.nodes:
        return places_of(symptom)
    if symptom.paths and cause.paths:
        here = set(cause.paths)
        return {(a, b) for a, b in symptom.paths if (a, b) in here or (b, a) in here}
    if symptom.paths:
        nodes = cause.nodes
        return {(a, b) for a, b in symptom.paths if a in nodes or b in nodes}
    return symptom.nodes & cause.nodes


def covers(cause: Finding, symptom: Finding) -> bool:
    """Whether every place where the symptom was seen is a place of the cause."""
    return reach(cause, symptom) is not None


def reach(cause: Finding, symptom: Finding) -> Reach | None:
    """How the cause covers every place where the symptom was seen, None where it does not."""
    if not cause.nodes:
        return Reach.EVERYWHERE
    if symptom.paths and cause.paths:  # most have nothing in common, and sets of paths are dear
        first = symptom.paths[0]
        if first not in cause.paths and first[::-1] not in cause.paths:
            return None
    places = covered(cause, symptom)
    if not places or len(places) < len(places_of(symptom)):
        return None
    if not symptom.paths:
        return Reach.NODES
    return Reach.PAIRS if cause.paths else Reach.ENDS


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


def raised(row: Ranked, worst: Severity | None) -> Ranked:
    """A cause is as severe as the worst that it explains."""
    if worst is None or worst.rank >= row.severity.rank:
        return row
    finding = dataclasses.replace(row.finding, severity=worst)
    return dataclasses.replace(row, finding=finding, raised_from=row.severity)
