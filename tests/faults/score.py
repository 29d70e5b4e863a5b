"""How well one scan saw one scenario: from the JSON report alone, as any reader of it could."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.peers.seen import Seen
from tests.faults.scenario import Cause, Scenario

SERIOUS = ("critical", "high", "medium")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """One run of one scenario.

    `ranks`: the place of each cause among the rows that nothing explains, from 1, None where it is
    not there. `misplaced` and `wrong_fix`: causes that were found with another place or another fix.
    `unrelated`: unexplained rows of medium or above that are none of the causes. `folded`: rows
    under the causes. `alarms`: rows of the healthy scans before and after it. `peers`: what other
    tools saw of it, if they were asked. `unmeasured`: why the
    scenario could not be run, empty where it was.
    """

    name: str
    quiet: bool
    ranks: tuple[int | None, ...]
    misplaced: tuple[str, ...]
    wrong_fix: tuple[str, ...]
    unrelated: tuple[str, ...]
    folded: int
    seconds: float
    unmeasured: str = ""
    alarms: tuple[str, ...] = ()
    peers: tuple[Seen, ...] = ()

    @property
    def first(self) -> bool:
        """Whether the causes, in any order, are the first rows."""
        return sorted(r or 0 for r in self.ranks) == list(range(1, len(self.ranks) + 1))

    @property
    def found(self) -> bool:
        """Whether every cause is a row somewhere."""
        return all(self.ranks)

    @property
    def good(self) -> bool:
        """First, in the right place, with the right fix, and nothing beside it."""
        wrong = self.misplaced or self.wrong_fix or self.unrelated or self.alarms
        return not (wrong or self.unmeasured) and self.first


def score(scenario: Scenario, report: Mapping[str, Any], seconds: float) -> Score:
    """Judge a report."""
    rows = [r for r in report["findings"] if r["causedBy"] is None]
    ranks: list[int | None] = []
    misplaced, wrong_fix = [], []
    taken: set[int] = set()
    for cause in scenario.causes:
        at = _best(cause, rows, taken)
        ranks.append(None if at is None else at + 1)
        if at is None:
            continue
        taken.add(at)
        if not _in_place(cause, rows[at]):
            misplaced.append(f"{rows[at]['id']}: {rows[at]['scope']}")
        if not _mended(cause, rows[at]):
            wrong_fix.append(f"{rows[at]['id']}: {rows[at]['fix']['text']}")
    unrelated = [
        f"{r['severity']} {r['id']} {r['title']}"
        for i, r in enumerate(rows)
        if i not in taken and r["severity"] in SERIOUS
    ]
    return Score(
        name=scenario.name,
        quiet=scenario.quiet,
        ranks=tuple(ranks),
        misplaced=tuple(misplaced),
        wrong_fix=tuple(wrong_fix),
        unrelated=tuple(unrelated),
        folded=len(report["findings"]) - len(rows),
        seconds=round(seconds, 1),
    )


def unmeasured(scenario: Scenario, why: str) -> Score:
    """A scenario that could not be run: neither found nor missed."""
    none: tuple[str, ...] = ()
    ranks = tuple(None for _ in scenario.causes)
    return Score(scenario.name, scenario.quiet, ranks, none, none, none, 0, 0.0, why)


def _best(cause: Cause, rows: list[Row], taken: set[int]) -> int | None:
    """The first row with the cause's ID, if possible one in the right place."""
    fitting = [i for i, r in enumerate(rows) if r["id"] in cause.ids and i not in taken]
    placed = [i for i in fitting if _in_place(cause, rows[i])]
    return next(iter(placed or fitting), None)


def _in_place(cause: Cause, row: Row) -> bool:
    names = {s["name"] for s in row["subjects"]}
    words = "\n".join([row["scope"], row["title"], *(e["text"] for e in row["evidence"])])
    return set(cause.nodes) <= names and re.search(cause.place, words) is not None


def _mended(cause: Cause, row: Row) -> bool:
    words = "\n".join([row["fix"]["text"], *row["fix"]["commands"]])
    return re.search(cause.fix, words) is not None


@dataclass(frozen=True, slots=True)
class Summary:
    """All scores in figures; shares are None where nothing was measured.

    `good`: of the faults. `precision`: right rows among all unexplained rows of medium or above, quiet cases and the
    healthy scans around each scenario included.
    """

    faults: int
    first: float | None
    found: float | None
    good: float | None
    precision: float | None
    quiet: int
    alarms_per_quiet_scan: float | None
    alarms_in_healthy_scans: int
    median_seconds: float | None
    unmeasured: int


def summary(scores: Iterable[Score]) -> Summary:
    """Figures over all runs."""
    everything = list(scores)
    ran = [s for s in everything if not s.unmeasured]
    faults = [s for s in ran if not s.quiet]
    quiet = [s for s in ran if s.quiet]
    right = sum(1 for s in faults for r in s.ranks if r)
    wrong = sum(len(s.unrelated) + len(s.alarms) for s in ran)
    times = sorted(s.seconds for s in ran)
    return Summary(
        faults=len(faults),
        first=_share(sum(s.first for s in faults), len(faults)),
        found=_share(sum(s.found for s in faults), len(faults)),
        good=_share(sum(s.good for s in faults), len(faults)),
        precision=_share(right, right + wrong),
        quiet=len(quiet),
        alarms_per_quiet_scan=_share(sum(len(s.unrelated) for s in quiet), len(quiet)),
        alarms_in_healthy_scans=sum(len(s.alarms) for s in ran),
        median_seconds=times[len(times) // 2] if times else None,
        unmeasured=len(everything) - len(ran),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
