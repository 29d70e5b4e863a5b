"""Markdown for GitHub, GitLab and Jira: a table, then evidence and fix of each finding, folded."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping

from kubectl_netdoctor.analysis.case import Case, cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.report.accepted import accepted
from kubectl_netdoctor.report.header import header
from kubectl_netdoctor.report.table import outcomes
from kubectl_netdoctor.report.terminal import clean


def markdown(diagnosis: Diagnosis, *, exit_code: int | None = None) -> str:
    """The whole report."""
    run = diagnosis.snapshot.run
    nodes = _cell(", ".join(run.nodes))
    lines = [
        f"## netdoctor: {_cell(diagnosis.verdict.text)}",
        "",
        _cell(f"kubectl-netdoctor {run.tool_version}, run {run.id}, {run.started} to {run.ended}"),
        "",
        f"Context {_cell(run.context or 'none')}, nodes: {nodes}",
        "",
    ]
    if diagnosis.findings:
        lines += [
            "| # | severity | id | what | where | evidence |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(n, r) for n, r in enumerate(diagnosis.causes, 1)]
        lines.append("")
    for case in cases(diagnosis):
        lines += [*_details(case.ranked, case), ""]
    for ranked in diagnosis.advice:
        lines += [*_details(ranked), ""]
    if diagnosis.suppressed:
        lines += ["Accepted:", "", *(f"- {_cell(line)}" for line in accepted(diagnosis)), ""]
    passed, skipped, errored = outcomes(diagnosis.coverage)
    lines.append(f"Passed: {', '.join(passed) or 'none'}.")
    lines += [f"Skipped: {', '.join(ids)} ({_cell(reason)})." for reason, ids in skipped.items()]
    lines += [f"Errored: {check} ({_cell(error)})." for check, error in errored]
    lines += [
        f"No answer: {_cell(n.name)} ({_cell(n.reason or 'no reason known')})."
        for n in diagnosis.silent
    ]
    lines += ["", *_ticket(header(diagnosis, exit_code))]
    return "\n".join(lines) + "\n"


def _ticket(fields: Mapping[str, str]) -> Iterator[str]:
    """The run, folded."""
    yield "<details>"
    yield "<summary>About this run</summary>"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {label} | {_cell(value)} |" for label, value in fields.items())
    yield ""
    yield "</details>"


def _row(number: int, ranked: Ranked) -> str:
    finding = ranked.finding
    where = ", ".join(s.name for s in finding.subjects)
    seen = finding.evidence[0].text if finding.evidence else ""
    cells = (str(number), ranked.severity.value, finding.id, finding.title, where, seen)
    return "| " + " | ".join(_cell(c) for c in cells) + " |"


def _details(ranked: Ranked, case: Case | None = None) -> Iterator[str]:
    finding = ranked.finding
    number = f"{case.number} " if case else ""
    yield "<details>"
    # HTML up to the blank line: a backslash would be shown.
    title = html.escape(clean(finding.title), quote=False)
    yield f"<summary>{number}{finding.id} {title} ({finding.confidence.value})</summary>"
    yield ""
    if ranked.caused_by:
        yield f"Caused by {_cell(ranked.caused_by)}."
        yield ""
    yield from _listed(case.pro if case else finding.evidence)
    yield ""
    if case:
        yield from _argued(case)
    yield f"{_cell(finding.fix.text)} (risk: {finding.fix.risk.value})"
    if finding.fix.commands:
        yield ""
        yield "```sh"
        yield from (_code(c) for c in finding.fix.commands)
        yield "```"
    yield ""
    yield "</details>"


def _argued(case: Case) -> Iterator[str]:
    """What speaks against it, and why it ranks where it does."""
    if case.contra:
        yield from ("Against it:", "", *_listed(case.contra), "")
    yield from ("Why it ranks here:", "", *(f"- {_cell(text)}" for text in case.why), "")


def _listed(evidence: Iterable[Evidence]) -> Iterator[str]:
    for item in evidence:
        node = f"{_cell(item.node)}: " if item.node else ""
        yield f"- {node}{_cell(item.text)}"


def _cell(text: str) -> str:
    """Text from outside, with what Markdown or HTML would act on made harmless."""
    safe = html.escape(clean(text), quote=False)
    for character in "\\`*_[]|":
        safe = safe.replace(character, f"\\{character}")
    return safe


def _code(text: str) -> str:
    return clean(text).replace("```", "'''")
