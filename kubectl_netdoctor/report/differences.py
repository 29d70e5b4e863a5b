"""A diff as a table, Markdown or JSON values: what is fixed, new, changed, and not measured now."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.diff import Changed, Diff, roots
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.report.document import row
from kubectl_netdoctor.report.terminal import Style, clean

SCHEMA_VERSION = "1.0"


def differences(diff: Diff, style: Style) -> str:
    """The diff for people: one line per finding, details indented below."""
    lines = [f"before  {_run(diff.before)}", f"after   {_run(diff.after)}"]
    lines += [f"warning: {text}" for text in diff.warnings]
    return "\n".join(map(style.clean, lines)) + "\n" + changes(diff, style)


def changes(diff: Diff, style: Style) -> str:
    """The same without saying which runs these are."""
    lines = [f"DIFF  {summary(diff)}", *(text for _, _, text in entries(diff))]
    lines += list(_lost(diff))
    return "\n".join(style.clean(line) for line in lines) + "\n"


def summary(diff: Diff) -> str:
    """One line: how many of each kind; symptoms are counted apart from what explains them."""
    counts = (
        (_count(diff.fixed), "fixed"),
        (_count(diff.new), "new"),
        (len(diff.changed), "changed"),
        (len(diff.unmeasured), "no longer measured"),
        (len(diff.unchanged), "unchanged"),
    )
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    if diff.different:
        return said
    return f"no difference ({said})" if said else "no difference, nothing found in both"


def _count(rows: Iterable[Ranked]) -> str | int:
    """Causes, and how many symptoms they explain; 0 for none."""
    folded = roots(rows)
    symptoms = sum(len(s) for _, s in folded)
    return f"{len(folded)} (explains {symptoms} more)" if symptoms else len(folded)


def entries(diff: Diff) -> Iterator[tuple[str, Ranked, str]]:
    """Kind, finding and line of each finding that is other than before, details as further lines."""
    for kind, rows in (("fixed", diff.fixed), ("new", diff.new)):
        for cause, symptoms in roots(rows):
            ids = ", ".join(sorted({s.finding.id for s in symptoms}))
            tail = f" (explains {ids})" if ids else ""
            yield kind, cause, f"{kind.upper():<10}{_line(cause)}{tail}"
            if kind == "new" and cause.finding.evidence:
                yield kind, cause, " " * 12 + _evidence(cause)
    for change in diff.changed:
        yield "changed", change.after, f"{'CHANGED':<10}{_line(change.after)}"
        for text in change.changes:
            yield "changed", change.after, " " * 12 + text
    for lost in diff.unmeasured:
        yield "unmeasured", lost.before, f"{'UNKNOWN':<10}{_line(lost.before)}"
        yield "unmeasured", lost.before, " " * 12 + f"no longer measured: {lost.reason}"
    for change in diff.unchanged:
        if change.after.caused_by is None:
            yield "unchanged", change.after, f"{'STILL':<10}{_line(change.after)}"


def _line(ranked: Ranked) -> str:
    finding = ranked.finding
    where = ", ".join(s.name for s in finding.subjects)
    return f"{ranked.severity.value:<9} {finding.id:<7} {finding.title} [{where}]"


def _evidence(ranked: Ranked) -> str:
    first = ranked.finding.evidence[0]
    return f"{first.node}: {first.text}" if first.node else first.text


def _lost(diff: Diff) -> Iterator[str]:
    reasons: dict[str, dict[str, None]] = {}
    for item in diff.lost:
        reasons.setdefault(item.reason, {})[item.check] = None
    for reason, checks in reasons.items():
        yield f"UNKNOWN   {', '.join(checks)} passed before and did not run now: {reason}"


def _run(diagnosis: Diagnosis) -> str:
    run = diagnosis.snapshot.run
    return f"run {run.id}  {run.ended}  {diagnosis.verdict.text}"


def markdown(diff: Diff) -> str:
    """The diff for a ticket."""
    lines = [
        f"## netdoctor diff: {_cell(summary(diff))}",
        "",
        f"Before: {_cell(_run(diff.before))}",
        "",
        f"After: {_cell(_run(diff.after))}",
        "",
    ]
    for text in diff.warnings:
        lines += [f"**Warning:** {_cell(text)}.", ""]
    rows = list(_rows(diff))
    if rows:
        lines += [
            "| | severity | id | what | where | details |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
        lines.append("")
    lines += [_cell(text) + "." for text in _lost(diff)]
    return "\n".join(lines).rstrip() + "\n"


def _rows(diff: Diff) -> Iterator[str]:
    seen: dict[tuple[str, str, str], list[str]] = {}
    ranked: dict[tuple[str, str, str], Ranked] = {}
    for kind, item, text in entries(diff):
        key = (kind, item.finding.key, item.finding.title)
        details = seen.setdefault(key, [])
        ranked[key] = item
        if text.startswith(" "):
            details.append(text.strip())
    for key, details in seen.items():
        finding = ranked[key].finding
        cells = (
            key[0],
            ranked[key].severity.value,
            finding.id,
            finding.title,
            ", ".join(s.name for s in finding.subjects),
            "; ".join(details),
        )
        yield "| " + " | ".join(_cell(c) for c in cells) + " |"


def _cell(text: str) -> str:
    """Text from outside, with what Markdown or HTML would act on made harmless."""
    safe = html.escape(clean(text), quote=False)
    for character in "\\`*_[]|":
        safe = safe.replace(character, f"\\{character}")
    return safe


def document(diff: Diff) -> dict[str, Any]:
    """The diff as JSON values: fields are added, never renamed, within one schemaVersion."""
    return {
        "kind": "netdoctor-diff",
        "schemaVersion": SCHEMA_VERSION,
        "different": diff.different,
        "summary": summary(diff),
        "warnings": list(diff.warnings),
        "before": _side(diff.before),
        "after": _side(diff.after),
        "fixed": [row(r) for r in diff.fixed],
        "new": [row(r) for r in diff.new],
        "changed": [_both(c) for c in diff.changed],
        "unmeasured": [{**row(u.before), "reason": u.reason} for u in diff.unmeasured],
        "unchanged": [_both(c) for c in diff.unchanged],
        "lostCoverage": [{"check": c.check, "node": c.node, "reason": c.reason} for c in diff.lost],
    }


def _side(diagnosis: Diagnosis) -> dict[str, Any]:
    run = diagnosis.snapshot.run
    return {"run": run.id, "end": run.ended, "verdict": diagnosis.verdict.text}


def _both(change: Changed) -> dict[str, Any]:
    return {
        "before": row(change.before),
        "after": row(change.after),
        "changes": list(change.changes),
    }
