"""Nodes: whether they answered, and their properties with those that differ from most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from kubectl_netdoctor.report.html.markup import UNKNOWN, Markup, framed, hidden, join, tag
from kubectl_netdoctor.report.node_facts import Property

COLUMNS = 8  # nodes side by side; more are summed up
NAMED = 12


def unanswered(reports: Sequence[NodeReport]) -> Markup | None:
    """Nodes that are not known whole, with the reason."""
    rows = [r for r in reports if r.status is not NodeStatus.ANSWERED]
    if not rows:
        return None
    return tag(
        "ul",
        [
            tag("li", tag("b", r.name), f" ({r.status.value}): {r.reason or 'no reason known'}")
            for r in rows
        ],
        class_="evidence",
    )


def properties(names: Sequence[str], found: Sequence[Property]) -> Markup:
    """What differs first in a sentence, then everything."""
    odd = [p for p in found if p.odd]
    words = (
        f"{len(odd)} of {len(found)} properties differ on some node; they are marked ≠."
        if odd
        else "No node differs from most others."
    )
    if not any(p.usual for p in found):
        words = "Too few nodes for a majority: nothing is marked."
    table = _beside if len(names) <= COLUMNS else _summed
    return join(tag("p", words), table(names, found))


def _beside(names: Sequence[str], found: Sequence[Property]) -> Markup:
    """A column for each node."""
    head = tag("tr", tag("th", "property", scope="col"), [tag("th", n, scope="col") for n in names])
    rows = [
        tag(
            "tr",
            tag("th", p.name, scope="row"),
            [_value(p.values.get(n), p.usual) for n in names],
        )
        for p in found
    ]
    return _table("Properties of nodes", head, _grouped(found, rows, len(names) + 1))


def _value(value: str | None, usual: str | None) -> Markup:
    if value is None:
        return tag("td", UNKNOWN, hidden(" not known"), class_="unknown")
    if usual is None or value == usual:
        return tag("td", value)
    mark = tag("span", "≠ ", aria_hidden="true")
    return tag("td", mark, value, hidden(f", most have {usual}"), class_="odd")


def _summed(names: Sequence[str], found: Sequence[Property]) -> Markup:
    """What most have, and who has something else."""
    head = tag("tr", [tag("th", w, scope="col") for w in ("property", "most nodes", "others")])
    rows = [
        tag(
            "tr",
            tag("th", p.name, scope="row"),
            tag("td", _usual(p, len(names))),
            tag("td", _others(p), class_="odd" if p.odd else None),
        )
        for p in found
    ]
    return _table("Properties of nodes", head, _grouped(found, rows, 3))


def _usual(p: Property, total: int) -> str:
    if p.usual is None:
        return UNKNOWN
    same = len(p.values) - len(p.odd)
    return f"{p.usual} ({same} of {total})"


def _others(p: Property) -> str:
    by_value: dict[str, list[str]] = {}
    for node, value in (p.odd if p.usual is not None else p.values).items():
        by_value.setdefault(value, []).append(node)
    if p.usual is None and len(by_value) > NAMED:
        return f"{len(by_value)} different values"
    parts = [f"{value}: {some(nodes)}" for value, nodes in list(by_value.items())[:NAMED]]
    more = len(by_value) - NAMED
    return ("≠ " if p.odd else "") + "; ".join(parts) + (f"; {more} more" if more > 0 else "")


def some(names: Sequence[str]) -> str:
    """Names, the last ones counted."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _grouped(found: Sequence[Property], rows: Sequence[Markup], width: int) -> list[Markup]:
    """A body for each group of properties."""
    groups: Mapping[str, list[Markup]] = {p.group: [] for p in found}
    for p, row in zip(found, rows, strict=True):
        groups[p.group].append(row)
    return [
        tag(
            "tbody",
            tag("tr", tag("th", group, colspan=width, scope="colgroup"), class_="group"),
            body,
        )
        for group, body in groups.items()
    ]


def _table(caption: str, head: Markup, bodies: Sequence[Markup]) -> Markup:
    return framed(
        caption, tag("table", tag("caption", caption), tag("thead", head), bodies, class_="facts")
    )
