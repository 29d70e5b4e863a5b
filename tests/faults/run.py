"""Running scenarios on a lab: healthy, inject, witness, scan, score, revert, healthy."""

from __future__ import annotations

import dataclasses
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.e2e.netdoctor import SERIOUS, scan
from tests.faults.peers.watch import Watch
from tests.faults.scenario import Scenario
from tests.faults.score import Score, score, unmeasured
from tests.lab import Lab
from tests.lab.errors import LabError

IN_FORCE = 60.0  # seconds that a fault may take to be in force
RECOVERY = 90.0  # seconds that the lab may take to be well again
Say = Callable[[str], None]


class Unwell(Exception):
    """The lab itself, without our scan, is not healthy; the text says why."""


def run(
    lab: Lab,
    scenarios: Sequence[Scenario],
    say: Say,
    *,
    repeat: int = 1,
    snapshots: Path | None = None,
    peers: Watch | None = None,
) -> Iterator[Score]:
    """One score for each scenario and repetition, as they come.

    In the first repetition scans of the healthy lab before and after each fault must be silent; in
    the others the lab's own health checks are enough. Peers look in the first, too.
    """
    silent = False  # the silence after one fault is the silence before the next
    for number in range(repeat):
        for scenario in scenarios:
            keep = snapshots / f"{scenario.name}.json.gz" if snapshots and not number else None
            first = number == 0
            result = one(
                lab,
                scenario,
                keep,
                peers if first else None,
                before=first and not silent,
                after=first,
            )
            silent = not (result.unmeasured or result.alarms)
            say(f"{result.name}: {words(result)}")
            yield result


def one(
    lab: Lab,
    scenario: Scenario,
    snapshot: Path | None = None,
    peers: Watch | None = None,
    *,
    before: bool = True,
    after: bool = True,
) -> Score:
    """One scenario once. A fault that cannot be injected or comes not into force is not scored.

    `before`, `after`: scan the healthy lab too; rows of such a scan are false alarms of this run.
    """
    try:
        well(lab)
        alarms = alarms_of(lab) if before else []
    except Unwell as exc:
        return unmeasured(scenario, f"before: {exc}")
    try:
        with scenario.inject(lab):
            missing = in_force(lab, scenario)
            if missing:
                return unmeasured(scenario, f"not in force: {missing}")
            save = ("--save", str(snapshot)) if snapshot else ()
            start = time.monotonic()
            seen = scan(lab, *scenario.scan, *save)
            result = score(scenario, seen.report, time.monotonic() - start)
            if peers:
                result = dataclasses.replace(result, peers=peers.look(scenario))
    except (LabError, subprocess.SubprocessError) as exc:
        return unmeasured(scenario, f"the lab: {' '.join(str(exc).split())[-300:]}")
    try:
        well(lab)
        alarms += alarms_of(lab) if after else []
    except Unwell as exc:
        return unmeasured(scenario, f"afterwards: {exc}")
    return dataclasses.replace(result, alarms=tuple(alarms))


def in_force(lab: Lab, scenario: Scenario) -> str:
    """Wait until the witness has seen the fault; what it misses where it has not."""
    end = time.monotonic() + max(IN_FORCE, scenario.settle * 2)
    started = time.monotonic()
    while missing := scenario.witness(lab):
        if time.monotonic() > end:
            return missing
        time.sleep(0.3)
    time.sleep(max(0.0, started + scenario.settle - time.monotonic()))
    return ""


def well(lab: Lab) -> None:
    """Wait until the lab is whole, as its own health checks say. Raises Unwell."""
    end = time.monotonic() + RECOVERY
    while sentences := lab.healthy():
        if time.monotonic() > end:
            raise Unwell("; ".join(sentences))
        time.sleep(0.5)


def alarms_of(lab: Lab) -> list[str]:
    """Rows of medium or above that a scan of the healthy lab has."""
    seen = scan(lab, "--all-nodes")
    return [f"{r['id']} {r['title']}" for r in seen.report["findings"] if r["severity"] in SERIOUS]


def words(result: Score) -> str:
    """One score in a line."""
    if result.unmeasured:
        return f"NOT MEASURED: {result.unmeasured}"
    if result.good:
        return f"good, {result.folded} folded, {result.seconds} s"
    parts = [f"ranks {', '.join(map(str, result.ranks))}"] if result.ranks else []
    lists = {
        "misplaced": result.misplaced,
        "wrong fix": result.wrong_fix,
        "unrelated": result.unrelated,
        "in a healthy scan": result.alarms,
    }
    parts += [f"{name}: {'; '.join(found)}" for name, found in lists.items() if found]
    return "BAD: " + ", ".join(parts)
