"""The case of one finding, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from kubectl_netdoctor.analysis.case import Case
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.report.document import SCHEMA_VERSION, TOOL, argued
from kubectl_netdoctor.report.terminal import Style

LABEL = 10  # columns of the words on the left


def explanation(diagnosis: Diagnosis, case: Case, style: Style) -> str:
    """The case as text."""
    finding, run = case.ranked.finding, diagnosis.snapshot.run
    lines = [
        style.clean(f"run {run.id}  {run.ended}  row {case.number} of {len(diagnosis.findings)}"),
        style.paint(style.clean(f"{finding.id}  {finding.title}"), case.ranked.severity),
    ]
    parts: tuple[tuple[str, Iterable[str]], ...] = (
        ("SURE", [f"{case.ranked.severity.value}, {finding.confidence.value}"]),
        ("WHERE", [case.scope]),
        ("FOR", map(_told, case.pro)),
        ("AGAINST", map(_told, case.contra or (Evidence("nothing that was looked at"),))),
        ("WHY HERE", case.why),
        ("DO FIRST", [case.action]),
    )
    for word, texts in parts:
        lines += ["", *_part(word, texts, style)]
    lines += [f"{'':{LABEL}}  {style.clean(c)}" for c in finding.fix.commands]
    return "\n".join([*lines, "", f"{finding.id} in general: explain {finding.id}"]) + "\n"


def explained(diagnosis: Diagnosis, case: Case) -> dict[str, Any]:
    """The case as JSON values: the finding as in the report, and its number."""
    run = diagnosis.snapshot.run
    return {
        "schemaVersion": SCHEMA_VERSION,
        "tool": {"name": TOOL, "version": run.tool_version},
        "run": {"id": run.id, "end": run.ended},
        "number": case.number,
        "of": len(diagnosis.findings),
        "finding": argued(case),
    }


def _told(evidence: Evidence) -> str:
    return f"{evidence.node}: {evidence.text}" if evidence.node else evidence.text


def _part(word: str, texts: Iterable[str], style: Style) -> Iterator[str]:
    """Sentences with the word in front of the first, each wrapped."""
    for text in texts:
        yield from textwrap.wrap(
            style.clean(text),
            style.width,
            initial_indent=f"{word:<{LABEL}}",
            subsequent_indent=" " * (LABEL + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        word = ""
