"""Latency in the wide table: paths and DNS servers, the slowest first, drawn where that shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.paths import LAYERS, paths
from kubectl_netdoctor.report.resolvers import resolvers
from kubectl_netdoctor.report.terminal import Style

ROWS = 12
HEADERS = ("FROM", "TO", "ANSWERED", "MEDIAN", "95 %", "MAX")
DRAWN = "0.01 ms .. 10 s"


@dataclass(frozen=True, slots=True)
class Row:
    """Answers of one kind between two places; times are ordered."""

    source: str
    target: str
    answered: int
    sent: int
    times: Sequence[float]


def latency(snapshot: Snapshot, style: Style) -> list[str]:
    """Lines of the section; none where nothing was measured."""
    found = sorted(
        rows(snapshot), key=lambda r: (-numbers.share(r.times, 0.95), r.source, r.target)
    )
    if not found:
        return []
    count = f", the slowest {ROWS} of {len(found)}" if len(found) > ROWS else ""
    lines = [
        [
            style.clean(r.source),
            style.clean(r.target),
            f"{r.answered}/{r.sent}",
            *(numbers.ms(v) for v in (numbers.median(r.times), numbers.share(r.times, 0.95))),
            numbers.ms(r.times[-1]),
            # A blank at the end would be cut off: the bars stand between marks.
            *([f"|{numbers.sparkline(r.times)}|"] if style.unicode else []),
        ]
        for r in found[:ROWS]
    ]
    headers = (*HEADERS, DRAWN) if style.unicode else HEADERS
    text = tabulate(lines, headers=headers, tablefmt="plain", disable_numparse=True)
    return [f"LATENCY{count}", *(f"  {line}".rstrip() for line in text.splitlines())]


def rows(snapshot: Snapshot) -> Iterator[Row]:
    """Everything that was answered."""
    for path in paths(snapshot).values():
        if times := path.times:
            target = f"{path.receiver} ({LAYERS[path.layer]})"
            yield Row(path.sender, target, path.sent - path.lost, path.sent, times)
    for resolver in resolvers(snapshot):
        for node, asked in resolver.nodes.items():
            if asked.times:
                target = f"DNS {resolver.server} {resolver.transport.upper()}"
                yield Row(node, target, asked.answered, asked.sent, asked.times)
