"""Ranked findings: causes with their evidence and fix, what they explain folded beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubectl_netdoctor.analysis.case import Case, cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.report.html.case import evidence, why_here
from kubectl_netdoctor.report.html.markup import Markup, hidden, join, tag

MARKS = {"critical": "▲▲", "high": "▲", "medium": "◆", "low": "▽", "info": "i"}
"""So that no severity is told by its colour alone."""
ARGUE = "kubectl netdoctor explain --finding N FILE"
NAMES = 12  # of places, before the rest is counted


def findings(diagnosis: Diagnosis) -> Markup:
    """All faults; a sentence where there are none."""
    if not diagnosis.findings:
        words = (
            "No fault was found." if diagnosis.verdict.complete else "No fault was found so far."
        )
        return tag("p", words, class_="calm")
    rows = {case.ranked.finding.key: case for case in cases(diagnosis)}
    folded = {key for ranked in diagnosis.causes for key in ranked.explains}
    return join(
        tag(
            "p",
            "Rows have the numbers of the table: ",
            tag("code", ARGUE),
            " argues row N of a saved scan.",
            class_="soft",
        ),
        [cause(case, rows) for key, case in rows.items() if key not in folded],
    )


def advice(diagnosis: Diagnosis) -> Markup:
    """Hints that are no faults."""
    return join(
        tag(
            "details",
            tag("summary", tag("code", r.finding.id), " ", r.finding.title, places(r.finding)),
            evidence(r.finding.evidence, "h3"),
            _fix(r.finding, "h3"),
            class_="advice",
        )
        for r in diagnosis.advice
    )


def cause(case: Case, rows: Mapping[str, Case]) -> Markup:
    """One row of the ranking as an article."""
    ranked = case.ranked
    folded = [row for key, row in rows.items() if key in ranked.explains]  # by their numbers
    name = f"finding-{case.number}"
    return tag(
        "article",
        tag("h3", _title(case), id=name),
        _where(ranked),
        evidence(ranked.finding.evidence),
        why_here(case),
        _fix(ranked.finding),
        _folded(folded),
        class_=f"finding sev-{ranked.severity.value}",
        aria_labelledby=name,
    )


def _title(case: Case) -> Markup:
    """The row's number, as in every other format, and what it is."""
    finding = case.ranked.finding
    return join(
        tag("span", hidden("Row "), str(case.number), class_="rank"),
        " ",
        badge(case.ranked.severity.value),
        " ",
        tag("code", finding.id),
        " ",
        finding.title,
    )


def badge(severity: str) -> Markup:
    """A severity in a word, a mark and a colour."""
    mark = tag("span", MARKS[severity], aria_hidden="true")
    return tag("span", mark, " ", severity, class_=f"badge sev-{severity}")


def places(finding: Finding) -> Markup:
    """Subjects in brackets."""
    names = [s.name for s in finding.subjects]
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return tag("span", f" [{', '.join(names[:NAMES])}{more}]", class_="soft")


def _where(ranked: Ranked) -> Markup:
    finding = ranked.finding
    return tag(
        "p",
        tag("strong", "Where: "),
        finding.scope or places(finding),
        tag("span", " · ", class_="soft"),
        tag("span", f"confidence: {finding.confidence.value}", class_="soft"),
        class_="where",
    )


def _fix(finding: Finding, heading: str = "h4") -> Markup:
    fix = finding.fix
    nodes = ", ".join(sorted(finding.nodes))
    place = f"on {nodes}" if fix.run_on == "node" and nodes else "with kubectl"
    if fix.run_on == "node" and not nodes:
        place = "on the nodes"
    return tag(
        "div",
        tag(
            heading,
            f"Fix, {place} ",
            tag("span", fix.risk.value, class_=f"risk {fix.risk.value}"),
            class_="small",
        ),
        tag("p", fix.text),
        _commands("Commands", fix.commands),
        _commands("Verify", (fix.verify,) if fix.verify else ()),
        _commands("Undo", (fix.rollback,) if fix.rollback else ()),
        class_="fix",
    )


def _commands(label: str, commands: Sequence[str]) -> Markup | None:
    """A block that a button copies; the button appears only where scripts run."""
    if not commands:
        return None
    return tag(
        "div",
        tag("span", label, class_="label"),
        tag("button", "Copy", hidden(f" {label.lower()}"), type="button", hidden=True),
        tag("pre", tag("code", "\n".join(commands)), tabindex=0, role="group", aria_label=label),
        class_="commands",
    )


def _folded(rows: Sequence[Case]) -> Markup | None:
    if not rows:
        return None
    return tag(
        "details",
        tag("summary", f"Explains {len(rows)} more"),
        [
            tag(
                "section",
                tag("h4", _title(case)),
                _where(case.ranked),
                evidence(case.ranked.finding.evidence, "h5"),
                why_here(case, "h5"),
                tag(
                    "p",
                    tag("strong", "If it stays after the fix: "),
                    case.ranked.finding.fix.text,
                ),
                class_="folded",
            )
            for case in rows
        ],
        class_="explains",
    )
