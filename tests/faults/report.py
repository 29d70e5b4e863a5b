"""The benchmark's result as a table, as JSON, and as Markdown for the README."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from tests.faults.peers import table
from tests.faults.peers.seen import Seen
from tests.faults.run import words
from tests.faults.score import Score, Summary, summary

FORMS = ("table", "json", "markdown")


def render(scores: Sequence[Score], form: str, command: str) -> str:
    """All scores and their summary."""
    date = dt.datetime.now(dt.UTC).date().isoformat()
    if form == "json":
        whole = {
            "date": date,
            "command": command,
            "summary": dataclasses.asdict(summary(scores)),
            "repetitions": [dataclasses.asdict(summary(part)) for part in repetitions(scores)],
            "scores": [as_json(s) for s in scores],
        }
        return json.dumps(whole, indent=2)
    if form == "markdown":
        head = f"`{command}`, {date}:"
        parts = [head, *_summary(scores, "github"), _table(scores, "github")]
    else:
        parts = [_table(scores, "plain"), *_summary(scores, "plain")]
    return "\n\n".join(parts)


def _summary(scores: Sequence[Score], form: str) -> list[str]:
    """Our figures for each repetition and over all, and those of other tools where they were asked."""
    each = {f"repetition {n}": part for n, part in enumerate(repetitions(scores), 1)}
    parts = {**(each if len(each) > 1 else {}), "all": list(scores)}
    columns = [_figures(summary(part)) for part in parts.values()]
    rows = [(same[0][0], *(value for _, value in same)) for same in zip(*columns, strict=True)]
    ours = tabulate(rows, headers=("", *parts), tablefmt=form, disable_numparse=True)
    lines = table.figures(s.peers for s in scores)
    theirs = [tabulate(lines, headers=table.FIGURES, tablefmt=form, disable_numparse=True)]
    return [ours, *(theirs if lines else ())]


def repetitions(scores: Iterable[Score]) -> list[list[Score]]:
    """The first score of each scenario, the second of each, and so on, in the order of the log."""
    parts: list[list[Score]] = []
    seen: Counter[str] = Counter()
    for one in scores:
        if seen[one.name] == len(parts):
            parts.append([])
        parts[seen[one.name]].append(one)
        seen[one.name] += 1
    return parts


def as_json(score: Score) -> dict[str, object]:
    """One score with all of its fields."""
    return {**dataclasses.asdict(score), "good": score.good}


def from_json(fields: Mapping[str, Any]) -> Score:
    """What as_json() wrote."""
    known = _tuples({k: v for k, v in fields.items() if k != "good"})
    known["peers"] = tuple(Seen(**_tuples(seen)) for seen in fields.get("peers", ()))
    return Score(**known)


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def _table(scores: Sequence[Score], form: str) -> str:
    runs: dict[str, list[Score]] = defaultdict(list)
    for one in scores:
        runs[one.name].append(one)
    names = table.columns(s.peers for s in scores)
    rows = [
        (name, *_row(same), *table.cells([s.peers for s in same], names))
        for name, same in sorted(runs.items())
    ]
    headers = ("scenario", "good", "rank", "folded", "unrelated", "seconds", "remark", *names)
    return tabulate(rows, headers=headers, tablefmt=form, disable_numparse=True)


def _row(same: Sequence[Score]) -> tuple[str, ...]:
    """All runs of one scenario: what is worst in them."""
    good = sum(s.good for s in same)
    ranks = [
        None if None in at else max(r or 0 for r in at)
        for at in zip(*(s.ranks for s in same), strict=True)
    ]
    return (
        f"{good} of {len(same)}",
        "quiet" if same[0].quiet else ", ".join("-" if r is None else str(r) for r in ranks),
        str(min(s.folded for s in same)),
        str(max(len(s.unrelated) + len(s.alarms) for s in same)),
        f"{statistics.median(s.seconds for s in same):g}",
        "; ".join(dict.fromkeys(words(s) for s in same if not s.good)),
    )


def _figures(figures: Summary) -> list[tuple[str, str]]:
    def share(value: float | None) -> str:
        return "not run" if value is None else f"{value:.1%}"

    return [
        ("faults injected", str(figures.faults)),
        ("true cause in the first row", share(figures.first)),
        ("true cause found at all", share(figures.found)),
        ("good: first, right place and fix, nothing beside it", share(figures.good)),
        ("precision", share(figures.precision)),
        ("quiet cases", str(figures.quiet)),
        ("false alarms per quiet scan", _plain(figures.alarms_per_quiet_scan)),
        ("false alarms in the healthy scans around them", str(figures.alarms_in_healthy_scans)),
        ("median seconds of a scan", _plain(figures.median_seconds)),
        ("could not be measured", str(figures.unmeasured)),
    ]


def _plain(value: float | None) -> str:
    return "not run" if value is None else f"{value:g}"
