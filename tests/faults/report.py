"""The benchmark's result as a table, as JSON, and as Markdown for the README."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Sequence

from tabulate import tabulate

from tests.faults.run import words
from tests.faults.score import Score, Summary, summary

FORMS = ("table", "json", "markdown")


def render(scores: Sequence[Score], form: str, command: str) -> str:
    """All scores and their summary."""
    figures = summary(scores)
    date = dt.datetime.now(dt.UTC).date().isoformat()
    if form == "json":
        whole = {
            "date": date,
            "command": command,
            "summary": dataclasses.asdict(figures),
            "scores": [as_json(s) for s in scores],
        }
        return json.dumps(whole, indent=2)
    if form == "markdown":
        head = f"`{command}`, {date}:"
        return f"{head}\n\n{tabulate(_figures(figures), tablefmt='github')}\n\n{_table(scores, 'github')}"
    return f"{_table(scores, 'plain')}\n\n{tabulate(_figures(figures), tablefmt='plain')}"


def as_json(score: Score) -> dict[str, object]:
    """One score with all of its fields."""
    return {**dataclasses.asdict(score), "good": score.good}


def _table(scores: Sequence[Score], form: str) -> str:
    rows = [
        (
            s.name,
            "quiet" if s.quiet else ", ".join("-" if r is None else str(r) for r in s.ranks),
            s.folded,
            len(s.unrelated),
            s.seconds,
            "" if s.good else words(s),
        )
        for s in scores
    ]
    headers = ("scenario", "rank", "folded", "unrelated", "seconds", "remark")
    return tabulate(rows, headers=headers, tablefmt=form, disable_numparse=True)


def _figures(figures: Summary) -> list[tuple[str, str]]:
    def share(value: float | None) -> str:
        return "not run" if value is None else f"{value:.1%}"

    return [
        ("faults injected", str(figures.faults)),
        ("true cause in the first row", share(figures.first)),
        ("true cause found at all", share(figures.found)),
        ("precision", share(figures.precision)),
        ("quiet cases", str(figures.quiet)),
        ("false alarms per quiet scan", _plain(figures.alarms_per_quiet_scan)),
        ("false alarms in the healthy scans around them", str(figures.alarms_in_healthy_scans)),
        ("median seconds of a scan", _plain(figures.median_seconds)),
        ("could not be measured", str(figures.unmeasured)),
    ]


def _plain(value: float | None) -> str:
    return "not run" if value is None else f"{value:g}"
