"""Nodes that differ from those they should be alike with: a section of the wide table, and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from kubectl_netdoctor.analysis.fleet import Fleet, Majority, Trait
from kubectl_netdoctor.report.terminal import Style

ROWS = 20
NAMED = 4
HEADERS = ("TRAIT", "DIFFERS", "MOST HAVE", "NOT KNOWN OF")


def section(fleet: Fleet, style: Style) -> list[str]:
    """Lines of the section; none where no node differs."""
    rows = [(t, m) for t in fleet.odd for m in t.majorities if m.outliers]
    if not rows:
        return []
    cells = [[style.clean(text) for text in _row(t, m, fleet)] for t, m in rows[:ROWS]]
    text = tabulate(cells, headers=HEADERS, tablefmt="plain", disable_numparse=True)
    count = f", the first {ROWS} of {len(rows)}" if len(rows) > ROWS else ""
    title = f"FLEET (nodes that should be alike and differ: a trace, no fault by itself){count}"
    return [title, *(f"  {line}".rstrip() for line in text.splitlines())]


def _row(trait: Trait, most: Majority, fleet: Fleet) -> list[str]:
    by_value: dict[str, list[str]] = {}
    for node, value in most.outliers.items():
        by_value.setdefault(value, []).append(node)
    odd = "; ".join(f"{value} on {_some(nodes)}" for value, nodes in by_value.items())
    place = f", {most.pool}" if len(fleet.pools) > 1 else ""
    usual = f"{most.value} ({len(most.nodes)} of {most.known}{place})"
    return [trait.name, odd, usual, _some(trait.unknown)]


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def values(fleet: Fleet) -> list[dict[str, Any]]:
    """Every majority as plain JSON values, also where no node differs."""
    return [
        {
            "group": trait.group,
            "trait": trait.name,
            "pool": most.pool,
            "usual": most.value,
            "agree": len(most.nodes),
            "outliers": _outliers(most.outliers),
            "unknown": list(trait.unknown),
        }
        for trait in fleet.traits
        for most in trait.majorities
    ]


def _outliers(found: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"node": node, "value": value} for node, value in found.items()]
