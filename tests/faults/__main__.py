"""How well faults are found on a real cluster.

python -m tests.faults list
python -m tests.faults run [--select TEXT…] [--nodes 3] [--repeat K] [-o table|json|markdown]

python -m tests.faults report LOG… [-o table|json|markdown]
python -m tests.faults keep FOLDER

list             names of all scenarios, and what each must be called
run              inject, witness, scan, score, revert; needs the lab, and starts one of its own
  --select TEXT  only scenarios whose name contains this, or whose cause has this ID
  --ci           only those that CI runs (chosen.py)
  --lab NAME     the lab's name (netdoctor-faults)
  --part K/N     every N-th scenario from the K-th, on a lab of its own: N commands side by side
  --log FILE     append each score as a line of JSON, as it comes
  --resume       leave out what the log has already
  --snapshots D  keep each scenario's snapshot in this folder
  --peers        other tools look into each fault too, see peers/README.md
report           the table of logs that runs, or parts of one, have written
keep             make tests/fixtures/scenarios.tar.xz of a folder of snapshots, redacted
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.faults import peers
from tests.faults.chosen import CHOSEN
from tests.faults.recorded import write
from tests.faults.report import FORMS, as_json, from_json, render
from tests.faults.run import run
from tests.faults.scenario import Scenario, all_scenarios
from tests.faults.score import Score
from tests.lab import Lab, agent_image


def main() -> int:
    """Run the benchmark; 1 where a scenario was not good."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", usage=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    options = commands.add_parser("run")
    options.add_argument("--select", nargs="+", action="extend", default=[])
    options.add_argument("--nodes", type=int, default=3)
    options.add_argument("--repeat", type=int, default=1)
    options.add_argument("--ci", action="store_true")
    options.add_argument("--lab", default="netdoctor-faults")
    options.add_argument("--part", type=_part, default=(1, 1))
    options.add_argument("--log", type=Path)
    options.add_argument("--resume", action="store_true")
    options.add_argument("--snapshots", type=Path)
    options.add_argument("--peers", action="store_true")
    options.add_argument("-o", "--output", choices=FORMS, default="table")
    reporting = commands.add_parser("report")
    reporting.add_argument("logs", type=Path, nargs="+")
    reporting.add_argument("-o", "--output", choices=FORMS, default="table")
    commands.add_parser("keep").add_argument("folder", type=Path)
    chosen = parser.parse_args()
    if chosen.command == "list":
        for scenario in all_scenarios().values():
            print(f"{scenario.name:45} {_expected(scenario)}")
        return 0
    if chosen.command == "report":
        scores = [score for log in chosen.logs for score in logged(log)]
        print(render(scores, chosen.output, f"python -m tests.faults {' '.join(sys.argv[1:])}"))
        return 0 if all(s.good for s in scores) else 1
    if chosen.command == "keep":
        return _keep(chosen.folder)
    return _run(chosen)


def _keep(folder: Path) -> int:
    missing = write(folder, all_scenarios())
    for name in missing:
        _say(f"no snapshot of {name}")
    return 1 if missing else 0


def _run(chosen: argparse.Namespace) -> int:
    number, parts = chosen.part
    known = {s.name for s in logged(chosen.log)} if chosen.resume and chosen.log else set()
    scenarios = [
        s
        for s in list(all_scenarios().values())[number - 1 :: parts]
        if s.name not in known
        and (not chosen.select or any(s.answers_to(text) for text in chosen.select))
        and not (chosen.ci and s.name not in CHOSEN)
    ]
    lab = Lab(f"{chosen.lab}{number if parts > 1 else ''}", _say)
    lab.up(chosen.nodes, agent=agent_image.ensure(_say))
    try:
        if chosen.snapshots:
            chosen.snapshots.mkdir(parents=True, exist_ok=True)
        scores = []
        for score in run(
            lab,
            scenarios,
            _say,
            repeat=chosen.repeat,
            snapshots=chosen.snapshots,
            peers=peers.watch(lab, _say) if chosen.peers else None,
        ):
            scores.append(score)
            if chosen.log:
                with chosen.log.open("a") as log:
                    log.write(json.dumps(as_json(score)) + "\n")
    finally:
        lab.down()
    print(render(scores, chosen.output, f"python -m tests.faults {' '.join(sys.argv[1:])}"))
    return 0 if all(s.good for s in scores) else 1


def _expected(scenario: Scenario) -> str:
    return " + ".join("/".join(c.ids) for c in scenario.causes) or "silence"


def logged(log: Path) -> list[Score]:
    """The scores of a log; none where it is not there yet."""
    return (
        [from_json(json.loads(li)) for li in log.read_text().splitlines()] if log.exists() else []
    )


def _part(text: str) -> tuple[int, int]:
    number, parts = map(int, text.split("/"))
    if not 1 <= number <= parts:
        raise ValueError(text)
    return number, parts


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
