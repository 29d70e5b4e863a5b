"""The coverage ledger: what each check said on how many nodes, and why where it could not."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netdoctor.analysis.engine import Covered
from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.report.document import describe
from kubectl_netdoctor.report.html.markup import Markup, framed, tag
from kubectl_netdoctor.report.html.nodes import some

OUTCOMES = ("found", "passed", "skipped", "errored")
MARKS = {"found": "✗", "passed": "✓", "skipped": "○", "errored": "!"}
REASONS = 6


def coverage(cells: Iterable[Covered]) -> Markup:
    """One row for each check."""
    rows: dict[str, list[Covered]] = {}
    for cell in cells:
        rows.setdefault(cell.check.id, []).append(cell)
    head = [tag("th", words, scope="col") for words in ("check", "looks for", "outcome", "why not")]
    caption = "Every check and what became of it"
    return framed(
        caption,
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", head)),
            tag(
                "tbody",
                [_row(group[0].check, group) for group in sorted(rows.values(), key=_order)],
            ),
            class_="ledger",
        ),
    )


def _order(cells: list[Covered]) -> tuple[bool, ...]:
    """What was found first, what passed everywhere last."""
    said = {describe(cell)[0] for cell in cells}
    return tuple(outcome not in said for outcome in ("found", "errored", "skipped"))


def _row(check: Check, cells: list[Covered]) -> Markup:
    where: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        outcome, reason = describe(cell)
        where.setdefault(outcome, []).append(cell.node or "")
        if reason:
            reasons.setdefault(reason, []).append(cell.node or "")
    told = [_reason(reason, nodes, len(cells)) for reason, nodes in list(reasons.items())[:REASONS]]
    if len(reasons) > REASONS:
        told.append(tag("div", f"{len(reasons) - REASONS} more reasons"))
    return tag(
        "tr",
        tag("th", tag("code", check.id), scope="row"),
        tag("td", check.title),
        tag("td", [_outcome(o, where[o], len(cells)) for o in OUTCOMES if o in where]),
        tag("td", told),
    )


def _outcome(outcome: str, nodes: list[str], total: int) -> Markup:
    mark = tag("span", MARKS[outcome], aria_hidden="true")
    count = f" on {some(nodes)}" if outcome != "passed" and len(nodes) < total else ""
    if outcome == "passed" and len(nodes) < total:
        count = f" on {len(nodes)} of {total}"
    return tag("div", mark, f" {outcome}{count}", class_=f"outcome {outcome}")


def _reason(reason: str, nodes: list[str], total: int) -> Markup:
    return tag("div", f"{some(nodes)}: {reason}" if len(nodes) < total else reason)
