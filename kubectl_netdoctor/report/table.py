"""The first screen: verdict, ranked rows, fixes for the top three, then what was not measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tabulate import tabulate

from kubectl_netdoctor.analysis.case import cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Covered, Errored, Found, Passed, Skipped
from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Finding, Severity
from kubectl_netdoctor.facts.snapshot import NodeStatus
from kubectl_netdoctor.report.accepted import accepted
from kubectl_netdoctor.report.fleet import section
from kubectl_netdoctor.report.header import header, known, nodes
from kubectl_netdoctor.report.latency import latency
from kubectl_netdoctor.report.terminal import Style

WIDE = 180
ROWS = 10
FIXES = 3
COMMANDS = 6
HEAD = ("tool", "context", "end", "nodes", "run")  # stand in the first line
HEADERS = ("ID", "WHAT", "WHERE", "EVIDENCE")


def table(
    diagnosis: Diagnosis, style: Style, *, wide: bool = False, exit_code: int | None = None
) -> str:
    """The whole report as text."""
    if wide:  # meant to be read whole, as with kubectl: the terminal may wrap it
        style = replace(style, width=max(style.width, WIDE))
    lines = [*head(diagnosis, style), ""]
    shown = diagnosis.findings if wide else diagnosis.causes[:ROWS]
    if shown:
        lines += [grid(shown, style, wide=wide), ""]
    if wide and shown:
        lines += [*order(diagnosis, style), ""]
    hidden = len(diagnosis.causes) - ROWS
    if not wide and hidden > 0:
        lines += [f"... {hidden} more rows: -o wide", ""]
    for number, ranked in enumerate(diagnosis.causes[: None if wide else FIXES], 1):
        lines += [*fix(number, ranked, style, wide=wide), ""]
    lines += advice(diagnosis, style, wide=wide)
    if wide and (measured := latency(diagnosis.snapshot, style)):
        lines += [style.bold(measured[0]), *measured[1:], ""]
    if wide and (differing := section(fleet(diagnosis.snapshot), style)):
        lines += [style.bold(differing[0]), *differing[1:], ""]
    lines += list(footer(diagnosis, style, wide=wide))
    fields = header(diagnosis, exit_code)
    lines += ticket(fields if wide else known(fields), style, wide=wide)
    return "\n".join(lines).rstrip() + "\n"


def head(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    """Who ran what, when, and the verdict."""
    run = diagnosis.snapshot.run
    where = nodes(diagnosis.snapshot)
    context = f"  context {run.context}" if run.context else ""
    yield style.clean(f"netdoctor {run.tool_version}  run {run.id}{context}  {where}  {run.ended}")
    text = style.clean(f"VERDICT  {diagnosis.verdict.text}")
    worst = diagnosis.verdict.worst
    yield style.paint(text, worst) if worst else style.bold(text)


def grid(rows: Sequence[Ranked], style: Style, *, wide: bool) -> str:
    """The ranked table, wrapped to the width of the output."""
    digits = len(str(len(rows)))
    # Line breaks are ours; everything between them was cleaned before.
    cells = [
        ["\n".join(style.clean(line) for line in lines) for lines in _cells(r, wide=wide)]
        for r in rows
    ]
    for number, row in enumerate(cells, 1):
        row[0] = f"{number:<{digits}} {row[0]}"
    fixed = max(len(c[0]) for c in cells) + max(len(c[1]) for c in cells) + 8
    room = max(style.width - fixed, 40)
    heading = len("WHERE") + 2  # tabulate pads headings
    where = min(max(heading, *(len(c[3]) for c in cells)), max(room // 5, 10))
    what = min(max(len(c[2]) for c in cells), (room - where) // 2)
    rest = room - where - what
    text = tabulate(
        cells,
        headers=(f"{'#':<{digits}} SEV", *HEADERS),
        tablefmt="plain",
        maxcolwidths=[None, None, what, where, rest],
        disable_numparse=True,
        break_on_hyphens=False,
    )
    starts = {f"{n:<{digits}} ": r.severity for n, r in enumerate(rows, 1)}
    return "\n".join(
        _painted(line.rstrip(), starts.get(line[: digits + 1]), digits + 1, style)
        for line in text.splitlines()
    )


def _painted(line: str, severity: Severity | None, at: int, style: Style) -> str:
    """A line of the table; the first one of a row has its severity in colour."""
    if severity is None:
        return line
    end = at + len(severity.value)
    return line[:at] + style.paint(line[at:end], severity) + line[end:]


def _cells(ranked: Ranked, *, wide: bool) -> list[list[str]]:
    """The lines of each cell of one row."""
    finding = ranked.finding
    names = [s.name for s in finding.subjects]
    where = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    texts = _evidence(finding)
    more = f" (+{len(texts) - 1})" if len(texts) > 1 else ""
    seen = texts if wide else [t + more for t in texts[:1]]
    if wide:
        where = finding.scope or where
    what = finding.title
    if ranked.explains:
        what += f" (explains {len(ranked.explains)} more)"
    if wide and ranked.caused_by:
        what = f"[caused by {ranked.caused_by}] {what}"
    severity = ranked.severity.value
    if wide:
        severity += f" ({finding.confidence.value})"
    return [[severity], [finding.id], [what], [where], seen]


def _evidence(finding: Finding) -> list[str]:
    """Observations, with the node where each was made as soon as there are several."""
    seen_from = {e.node for e in finding.evidence if e.node}
    several = len(seen_from | finding.nodes) > 1
    return [f"{e.node}: {e.text}" if e.node and several else e.text for e in finding.evidence]


def order(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    """Why each row ranks where it does, and what speaks against it."""
    yield style.bold("WHY IN THIS ORDER (explain --finding # FILE says it all)")
    for case in cases(diagnosis):
        first = f"  {case.number:<3} {case.ranked.finding.id}"
        against = [
            f"against: {e.node}: {e.text}" if e.node else f"against: {e.text}" for e in case.contra
        ]
        for number, text in enumerate((*case.why, *against)):
            start = first if number == 0 else ""
            yield from _wrapped(style.clean(f"{start:<15}{text}"), style, "", 17)


def fix(number: int, ranked: Ranked, style: Style, *, wide: bool) -> Iterator[str]:
    """One fix, ready to paste."""
    finding = ranked.finding
    names = ", ".join(sorted(finding.nodes))
    place = f"on {names}" if finding.fix.run_on == "node" and names else "with kubectl"
    if finding.fix.run_on == "node" and not names:
        place = "on the nodes"
    title = style.bold(
        style.clean(f"FIX {number}  {finding.id}, {place} ({finding.fix.risk.value})")
    )
    yield title
    yield from _wrapped(style.clean(finding.fix.text), style, "  ")
    commands = finding.fix.commands if wide else finding.fix.commands[:COMMANDS]
    for command in commands:
        yield f"    {style.clean(command)}"
    if finding.fix.verify:
        yield f"  verify: {style.clean(finding.fix.verify)}"
    if wide and finding.fix.rollback:
        yield f"  undo:   {style.clean(finding.fix.rollback)}"


def advice(diagnosis: Diagnosis, style: Style, *, wide: bool) -> list[str]:
    """Hints that are no faults, apart from them."""
    if not diagnosis.advice:
        return []
    lines = [style.bold("ADVICE (no fault)")]
    for ranked in diagnosis.advice:
        finding = ranked.finding
        names = ", ".join(s.name for s in finding.subjects)
        lines += _wrapped(style.clean(f"{finding.id}  {finding.title} [{names}]"), style, "  ")
        if wide:
            lines += [f"      {style.clean(text)}" for text in _evidence(finding)]
            lines += [f"      $ {style.clean(c)}" for c in finding.fix.commands]
    if not wide:
        lines.append("  details: -o wide")
    return [*lines, ""]


def footer(diagnosis: Diagnosis, style: Style, *, wide: bool) -> Iterator[str]:
    """What passed, what was skipped and why, which nodes did not answer."""
    for line in accepted(diagnosis):
        yield from _wrapped(style.clean(f"ACCEPTED {line}"), style, "", 9)
    passed, skipped, errored = outcomes(diagnosis.coverage)
    if passed:
        yield from _wrapped(f"PASSED   {len(passed)} checks: {', '.join(passed)}", style, "", 9)
    for reason, ids in skipped.items():
        text = style.clean(f"SKIPPED  {', '.join(ids)}: {reason}")
        yield from _wrapped(text, style, "", 9) if not wide else [text]
    for check, error in errored:
        yield from _wrapped(style.clean(f"ERRORED  {check}: {error}"), style, "", 9)
    for node in diagnosis.silent:
        word = "NOT REACHED" if node.status is NodeStatus.NOT_REACHED else "NO REPORT"
        text = style.clean(f"{word}  {node.name}: {node.reason or 'no reason known'}")
        yield from _wrapped(text, style, "", 13)


def ticket(fields: Mapping[str, str], style: Style, *, wide: bool) -> list[str]:
    """What a ticket needs to know beside the first line."""
    said = {label: style.clean(value) for label, value in fields.items() if label not in HEAD}
    if wide:
        return [f"{'RUN' if not n else '':7}  {k:12}  {v}" for n, (k, v) in enumerate(said.items())]
    command = said.pop("command", "")
    text = ", ".join(f"{label} {value}" for label, value in said.items())
    return [
        *_wrapped(f"RUN      {text}", style, "", 9),
        *_wrapped(f"         $ {command}", style, "", 9),
    ]


def outcomes(
    coverage: Sequence[Covered],
) -> tuple[list[str], dict[str, list[str]], list[tuple[str, str]]]:
    """IDs that passed everywhere they ran, skipped IDs by reason, and broken checks."""
    found = {c.check.id for c in coverage if isinstance(c.outcome, Found)}
    passed = {c.check.id for c in coverage if isinstance(c.outcome, Passed)} - found
    skipped: dict[str, list[str]] = {}
    errored: list[tuple[str, str]] = []
    for cell in coverage:
        if isinstance(cell.outcome, Skipped):
            where = f"{cell.node}: " if cell.node and _differs(cell, coverage) else ""
            reason = f"{where}{cell.outcome.missing.detail}"
            ids = skipped.setdefault(reason, [])
            if cell.check.id not in ids:
                ids.append(cell.check.id)
        elif isinstance(cell.outcome, Errored):
            errored.append((cell.check.id, cell.outcome.error))
    return sorted(passed), skipped, list(dict.fromkeys(errored))


def _differs(cell: Covered, coverage: Sequence[Covered]) -> bool:
    """Whether the same check ran on another node: then the node is worth naming."""
    return any(c.check.id == cell.check.id and not isinstance(c.outcome, Skipped) for c in coverage)


def _wrapped(text: str, style: Style, indent: str, hanging: int = 0) -> list[str]:
    return textwrap.wrap(
        text,
        style.width,
        initial_indent=indent,
        subsequent_indent=indent + " " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
