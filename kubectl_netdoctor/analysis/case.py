"""The case of each finding: what speaks for it, what against it, and why it ranks where it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Covered, Errored, Passed, Skipped
from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.analysis.fleet_evidence import speaks
from kubectl_netdoctor.analysis.ranking import Ranked, covered
from kubectl_netdoctor.analysis.standing import explainers, label, some, standing
from kubectl_netdoctor.checks.base import Check, Evidence, Finding
from kubectl_netdoctor.checks.hop_words import is_told
from kubectl_netdoctor.facts.base import FACTS, KEYS, Missing, Reason, Scope


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the report, by its number from 1; `pro` begins with the finding's own evidence."""

    number: int
    ranked: Ranked
    why: tuple[str, ...]
    pro: tuple[Evidence, ...]
    contra: tuple[Evidence, ...]

    @property
    def scope(self) -> str:
        """Where it is, in words."""
        return self.ranked.finding.scope

    @property
    def action(self) -> str:
        """What to do first."""
        return self.ranked.finding.fix.text


def cases(diagnosis: Diagnosis) -> tuple[Case, ...]:
    """The case of every finding, in rank order. Pure."""
    rows, looks = diagnosis.findings, Looks(diagnosis)
    if not rows:
        return ()
    nodes = fleet(diagnosis.snapshot)
    troubled = {name for r in rows if r.caused_by is None for name in r.finding.nodes}
    made = []
    for index, row in enumerate(rows):
        apart, alike = (map(Evidence, texts) for texts in speaks(row.finding, nodes, troubled))
        why = standing(rows, index, looks.checks)
        pro = (*row.finding.evidence, *apart, *_pro(rows, row, looks))
        made.append(Case(index + 1, row, why, pro, (*alike, *_contra(rows, row, looks))))
    return tuple(made)


class Looks:
    """Which checks looked at which nodes, and what kept the others from it.

    `shared`: rows that explain a row together, by its key.
    """

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.facts: dict[str, Mapping[str, object]] = {
            n.name: n.envelope.facts if n.envelope else {} for n in diagnosis.snapshot.nodes
        }
        self.checks: dict[str, Check] = {c.check.id: c.check for c in diagnosis.coverage}
        self.cells: dict[str, list[Covered]] = {}
        self.above: dict[str, list[str]] = {}  # checks that explain an ID
        for cell in diagnosis.coverage:
            self.cells.setdefault(cell.check.id, []).append(cell)
        for check in self.checks.values():
            for symptom in check.explains:
                self.above.setdefault(symptom, []).append(check.id)
        folded = (row for row in diagnosis.findings if row.caused_by)
        known = {r.finding.key: explainers(diagnosis.findings, r, self.checks) for r in folded}
        self.shared = {key: rows for key, rows in known.items() if len(rows) > 1}

    def silent(self, ids: Iterable[str], finding: Finding) -> dict[tuple[str, ...], list[str]]:
        """Checks that looked at the finding's nodes and found nothing anywhere, by these nodes."""
        found: dict[tuple[str, ...], list[str]] = {}
        for check_id in ids:
            cells = self.cells.get(check_id, ())
            if any(not isinstance(c.outcome, Passed | Skipped) for c in cells):
                continue
            passed = [c for c in cells if isinstance(c.outcome, Passed)]
            if places := sorted(n for c in passed for n in self._looked(c, finding)):
                found.setdefault(tuple(places), []).append(check_id)
        return found

    def blind(self, ids: Iterable[str], finding: Finding) -> dict[str, list[str]]:
        """Checks that could not run where the finding is, by the reason."""
        found: dict[str, list[str]] = {}
        nodes = _nodes(finding)
        for check_id in ids:
            reasons: dict[str, list[str]] = {}
            for cell in self.cells.get(check_id, ()):
                reason = _kept_from(cell)
                if reason and (cell.node is None or not nodes or cell.node in nodes):
                    reasons.setdefault(reason, []).append(cell.node or "")
            for reason, names in reasons.items():
                place = f" on {some(names)}" if all(names) else ""
                found.setdefault(reason, []).append(f"{check_id}{place}")
        return found

    def _looked(self, cell: Covered, finding: Finding) -> Iterator[str]:
        """Those of the finding's nodes on which a cell's check had anything to look at."""
        wanted = _nodes(finding) or set(self.facts)
        needs = [KEYS.get(n.type, "") for n in cell.check.needs.values() if not n.optional]
        own = [key for key in needs if key in FACTS and FACTS[key].scope is Scope.NODE]
        for name in wanted & {cell.node} if cell.node else wanted:
            facts = [self.facts.get(name, {}).get(key) for key in own]
            if not any(isinstance(f, Missing | None) or _empty(f) for f in facts):
                yield name


def _empty(fact: object) -> bool:
    """Whether a fact is a list without entries: nothing that could have been seen."""
    return getattr(fact, "items", None) == ()


def _nodes(finding: Finding) -> set[str]:
    """The nodes that a finding is about, the ends of its pairs included."""
    return {*finding.nodes, *(name for path in finding.paths for name in path)}


def _kept_from(cell: Covered) -> str | None:
    """Why a cell did not run; None where it ran, or where there was nothing that it could see."""
    match cell.outcome:
        case Errored(error):
            return error
        case Skipped(need, missing) if (
            missing.reason is not Reason.NOT_PRESENT or need == "evidence"
        ):
            return missing.detail
    return None


def _pro(rows: Sequence[Ranked], row: Ranked, looks: Looks) -> Iterator[Evidence]:
    """What stands under it, where that lost its packets, and causes that were looked for in vain."""
    told = any(is_told(e) for e in row.finding.evidence)
    for index, symptom in enumerate(rows):
        finding, several = symptom.finding, looks.shared.get(symptom.finding.key, [])
        if symptom.caused_by != row.finding.key and not any(r is row for r in several):
            continue
        how = "is explained by it and others together" if several else "stands under it"
        yield Evidence(f"{label(rows, index)} {how}: {finding.title} ({finding.scope})")
        if not told:
            yield from (e for e in finding.evidence if is_told(e))
    if row.caused_by is None:
        deeper = looks.silent(looks.above.get(row.finding.id, ()), row.finding)
        for names, ids in deeper.items():
            yield Evidence(
                f"nothing beneath it: {', '.join(ids)} would explain it, looked at {some(names)} "
                "and found nothing"
            )


def _contra(rows: Sequence[Ranked], row: Ranked, looks: Looks) -> Iterator[Evidence]:
    """What it leaves unexplained, what is not known, and effects that were not seen."""
    finding = row.finding
    check = looks.checks.get(finding.id)
    effects = check.explains if check else ()
    beneath = looks.above.get(finding.id, ()) if row.caused_by is None else ()
    for index, other in enumerate(rows):
        left = other.finding.id in effects and other.caused_by is None
        if left and covered(finding, other.finding):
            yield Evidence(
                f"it can cause {label(rows, index)}, but that was seen also where this was not: "
                f"{other.finding.scope}"
            )
    for ids, role in ((effects, "show an effect of it"), (beneath, "be beneath it")):
        for reason, kept in looks.blind(ids, finding).items():
            yield Evidence(
                f"not known: {', '.join(kept)} could {role}, and could not run: {reason}"
            )
    for names, quiet in looks.silent(effects, finding).items():
        yield Evidence(
            f"weak, since not every effect shows: {', '.join(quiet)} looked at {some(names)} and "
            "found nothing"
        )
