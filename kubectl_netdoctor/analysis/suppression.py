"""Findings that somebody has accepted, with a reason and until a day: told apart, never hidden."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, Suppressed, verdict
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Finding


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry. `nodes` and `subjects` are patterns; without any, every place is meant.

    A subject is written as in reports: `Service/kube-system/kube-dns`. `expires` is its last day.
    """

    id: str
    reason: str
    expires: date | None
    nodes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The entry in one line."""
        return " ".join((self.id, *self.nodes, *self.subjects))

    def means(self, finding: Finding, original: Callable[[str], str]) -> frozenset[str]:
        """The subjects of a finding that this entry accepts; all of them, or some of its nodes."""
        if finding.id != self.id:
            return frozenset()
        named = {s: f"{s.kind}/{original(s.name)}" for s in finding.subjects}
        if self.nodes:
            nodes = {s: original(s.name) for s in finding.subjects if s.kind == "Node"}
            fits = {s for s, n in nodes.items() if _any(n, self.nodes)}
            if len(nodes) < len(named) and len(fits) == len(nodes) and nodes:
                fits = set(named)  # the other subjects are what the finding says of these nodes
        else:
            fits = set(named)
        if self.subjects:
            fits = {s for s in fits if _any(named[s], self.subjects)}
        return frozenset(f"{s.kind}/{s.name}" for s in fits)


def _any(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def suppress(
    diagnosis: Diagnosis,
    entries: Sequence[Suppression],
    today: date,
    original: Callable[[str], str] = str,
) -> Diagnosis:
    """The diagnosis with accepted findings apart, and what is wrong with the entries.

    What a suppressed cause explains goes with it. `original` takes redacted names back.
    """
    valid = [e for e in entries if e.expires is None or e.expires >= today]
    used: set[int] = set()
    gone: dict[str, Suppressed] = {}
    left: dict[str, Ranked] = {}  # by the key of before: a row that lost some nodes has another
    for ranked in diagnosis.findings:
        row, accepted = _apply(ranked, valid, original, used)
        if accepted:
            gone[ranked.finding.key] = accepted
        if row is not None:
            left[ranked.finding.key] = row
    for key, row in list(left.items()):
        cause = gone.get(row.caused_by or "")
        if cause is not None and row.caused_by not in left:
            gone[key] = Suppressed(left.pop(key), cause.reason, cause.expires)
    rows = tuple(_linked(row, left) for row in left.values())
    judged = verdict(diagnosis.snapshot, rows, diagnosis.coverage)
    if gone:
        text = judged.text.replace("nothing found", "nothing else found", 1)
        judged = dataclasses.replace(judged, text=f"{len(gone)} accepted, {text}")
    return dataclasses.replace(
        diagnosis,
        verdict=judged,
        findings=rows,
        suppressed=tuple(gone.values()),
        notes=(*diagnosis.notes, *_notes(entries, valid, used, today)),
    )


def _linked(row: Ranked, left: Mapping[str, Ranked]) -> Ranked:
    """A row that names its cause and its symptoms by the keys that they have now."""
    cause = left.get(row.caused_by or "")
    symptoms = sorted(left[k].finding.key for k in row.explains if k in left)
    return dataclasses.replace(
        row, caused_by=cause.finding.key if cause else None, explains=tuple(symptoms)
    )


def _apply(
    ranked: Ranked, valid: Sequence[Suppression], original: Callable[[str], str], used: set[int]
) -> tuple[Ranked | None, Suppressed | None]:
    """What is left of a row, and what was accepted of it."""
    finding = ranked.finding
    subjects = {f"{s.kind}/{s.name}" for s in finding.subjects}
    by_node = not finding.paths and all(s.kind == "Node" for s in finding.subjects)
    accepted: set[str] = set()
    first: Suppression | None = None
    for entry in valid:
        fits = entry.means(finding, original)
        if fits and (by_node or fits == subjects):
            used.add(id(entry))
            accepted |= fits
            first = first or entry
    if first is None:
        return ranked, None
    rest = tuple(s for s in finding.subjects if f"{s.kind}/{s.name}" not in accepted)
    done = tuple(s for s in finding.subjects if s not in rest)
    part = dataclasses.replace(ranked, finding=_only(finding, {s.name for s in done}, done))
    out = Suppressed(part, first.reason, first.expires.isoformat() if first.expires else None)
    if not rest:
        return None, out
    return dataclasses.replace(ranked, finding=_only(finding, {s.name for s in rest}, rest)), out


def _only(finding: Finding, names: set[str], subjects: tuple[object, ...]) -> Finding:
    """A finding of several nodes, cut down to some of them."""
    if len(subjects) == len(finding.subjects):
        return finding
    return dataclasses.replace(
        finding,
        subjects=tuple(s for s in finding.subjects if s in subjects),
        evidence=tuple(e for e in finding.evidence if e.node is None or e.node in names),
        scope=f"on {', '.join(sorted(names))}",
    )


def _notes(
    entries: Sequence[Suppression], valid: Sequence[Suppression], used: set[int], today: date
) -> Iterable[str]:
    for entry in entries:
        if entry not in valid:
            yield f"suppression {entry.text} expired on {entry.expires}: it counts no more"
        elif id(entry) not in used:
            yield f"suppression {entry.text} matches nothing"
        elif entry.expires is None:
            yield f"suppression {entry.text} has no day on which it expires"
        elif (entry.expires - today).days <= 14:
            yield f"suppression {entry.text} expires on {entry.expires}"
