"""Markdown for GitHub, GitLab and Jira: a table, then evidence and fix of each finding, folded."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.ranking import Ranked
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
        lines += ["| severity | id | what | where | evidence |", "|---|---|---|---|---|"]
        lines += [_row(r) for r in diagnosis.causes]
        lines.append("")
    for ranked in (*diagnosis.findings, *diagnosis.advice):
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


def _row(ranked: Ranked) -> str:
    finding = ranked.finding
    where = ", ".join(s.name for s in finding.subjects)
    seen = finding.evidence[0].text if finding.evidence else ""
    cells = (ranked.severity.value, finding.id, finding.title, where, seen)
    return "| " + " | ".join(_cell(c) for c in cells) + " |"


def _details(ranked: Ranked) -> Iterator[str]:
    finding = ranked.finding
    yield "<details>"
    yield f"<summary>{finding.id} {_cell(finding.title)} ({finding.confidence.value})</summary>"
    yield ""
    if ranked.caused_by:
        yield f"Caused by {_cell(ranked.caused_by)}."
        yield ""
    for item in finding.evidence:
        node = f"{_cell(item.node)}: " if item.node else ""
        yield f"- {node}{_cell(item.text)}"
    yield ""
    yield f"{_cell(finding.fix.text)} (risk: {finding.fix.risk.value})"
    if finding.fix.commands:
        yield ""
        yield "```sh"
        yield from (_code(c) for c in finding.fix.commands)
        yield "```"
    yield ""
    yield "</details>"


def _cell(text: str) -> str:
    """Text from outside, with what Markdown or HTML would act on made harmless."""
    safe = html.escape(clean(text), quote=False)
    for character in "\\`*_[]|":
        safe = safe.replace(character, f"\\{character}")
    return safe


def _code(text: str) -> str:
    return clean(text).replace("```", "'''")
