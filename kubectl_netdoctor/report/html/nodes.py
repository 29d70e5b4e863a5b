"""Nodes: whether they answered, and their properties with those that differ from most."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kubectl_netdoctor.analysis.fleet import Majority, Trait
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from kubectl_netdoctor.report.html.markup import UNKNOWN, Markup, framed, hidden, join, tag

COLUMNS = 8  # nodes side by side; more are summed up
NAMED = 12
UNEQUAL = tag("span", "≠", class_="sign")
"""Stands at what differs."""


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


def properties(names: Sequence[str], found: Sequence[Trait]) -> Markup:
    """What differs first in a sentence, then everything."""
    odd = [t for t in found if t.outliers]
    words = join("No node differs from most of those that should be alike.")
    if odd:
        said = f"{len(odd)} of {len(found)} properties differ on some node; they are marked "
        words = join(said, UNEQUAL, ".")
    elif not any(t.majorities for t in found):
        words = join("Too few nodes that should be alike for a majority: nothing is marked.")
    table = _beside if len(names) <= COLUMNS else _summed
    return join(tag("p", words), table(names, found))


def _beside(names: Sequence[str], found: Sequence[Trait]) -> Markup:
    """A column for each node."""
    head = tag("tr", tag("th", "property", scope="col"), [tag("th", n, scope="col") for n in names])
    rows = [
        tag(
            "tr",
            tag("th", _breakable(t.name), scope="row"),
            [_value(t.values.get(n), t.of(n)) for n in names],
        )
        for t in found
    ]
    return _table("Properties of nodes", head, _grouped(found, rows, len(names) + 1))


def _breakable(name: str) -> Markup:
    """A long name ends its line at a dot or underscore, not within a word."""
    first, *rest = re.split(r"(?<=[._])(?=\w)", name)
    return join(first, [join(tag("wbr"), part) for part in rest])


def _value(value: str | None, most: Majority | None) -> Markup:
    if value is None:
        return tag("td", UNKNOWN, hidden(" not known"), class_="unknown")
    if most is None or value == most.value:
        return tag("td", value)
    mark = tag("span", UNEQUAL, " ", aria_hidden="true")
    return tag("td", mark, value, hidden(f", most have {most.value}"), class_="odd")


def _summed(_: Sequence[str], found: Sequence[Trait]) -> Markup:
    """What most have, and who has something else."""
    head = tag("tr", [tag("th", w, scope="col") for w in ("property", "most nodes", "others")])
    rows = [
        tag(
            "tr",
            tag("th", _breakable(t.name), scope="row"),
            tag("td", _usual(t)),
            tag("td", _others(t), class_="odd" if t.outliers else None),
        )
        for t in found
    ]
    return _table("Properties of nodes", head, _grouped(found, rows, 3))


def _usual(trait: Trait) -> str:
    """What most have; each pool by its name where there are several."""
    several = len(trait.majorities) > 1
    return (
        "; ".join(
            f"{m.value} ({f'{m.pool}: ' if several else ''}{len(m.nodes)} of {m.known})"
            for m in trait.majorities
        )
        or UNKNOWN
    )


def _others(trait: Trait) -> Markup:
    """Outliers, then the nodes of pools without a majority."""
    odd = trait.outliers
    rest = {n: v for n, v in trait.values.items() if trait.of(n) is None}
    between = "; " if odd and rest else ""
    return join([UNEQUAL, " ", _by_value(odd)] if odd else None, between, _by_value(rest))


def _by_value(values: Mapping[str, str]) -> str:
    by_value: dict[str, list[str]] = {}
    for node, value in values.items():
        by_value.setdefault(value, []).append(node)
    if len(by_value) > NAMED:
        return f"{len(by_value)} different values"
    return "; ".join(f"{value}: {some(nodes)}" for value, nodes in by_value.items())


def some(names: Sequence[str]) -> str:
    """Names, the last ones counted."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _grouped(found: Sequence[Trait], rows: Sequence[Markup], width: int) -> list[Markup]:
    """A body for each group of properties."""
    groups: Mapping[str, list[Markup]] = {t.group: [] for t in found}
    for t, row in zip(found, rows, strict=True):
        groups[t.group].append(row)
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
