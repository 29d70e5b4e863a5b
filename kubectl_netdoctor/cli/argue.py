"""`explain --finding N FILE`: the case of one row of a saved scan."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from kubectl_netdoctor.analysis.case import Case, cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.present import prepared
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.cli.show import chosen_checks
from kubectl_netdoctor.errors import UsageError
from kubectl_netdoctor.report.explanation import explained, explanation
from kubectl_netdoctor.report.structured import to_json
from kubectl_netdoctor.report.terminal import clean, style_of

HINT = "kubectl netdoctor analyze FILE -o wide numbers the rows"


def argue(file: str, wanted: str, options: Mapping[str, Any]) -> str:
    """The text. Raises UsageError where no row, or not one alone, is meant."""
    checks = chosen_checks(options["select"], options["ignore"])
    diagnosis = prepared(load(file), checks, options).diagnosis
    for note in diagnosis.notes:
        click.echo(f"warning: {clean(note)}", err=True)
    case = meant(diagnosis, wanted)
    if options["output"] == "json":
        return to_json(explained(diagnosis, case))
    return explanation(diagnosis, case, style_of(sys.stdout))


def meant(diagnosis: Diagnosis, wanted: str) -> Case:
    """The row with this number, this key, or this ID if no other row has it."""
    every = cases(diagnosis)
    if not every:
        raise UsageError("there is no row to explain: nothing was found")
    if wanted.isdecimal():
        if len(wanted) < 10 and 0 < int(wanted) <= len(every):
            return every[int(wanted) - 1]
        rows = "is 1 row" if len(every) == 1 else f"are {len(every)} rows"
        raise UsageError(f"there is no row {wanted:.9}: there {rows}", hint=HINT)
    keyed = [c for c in every if c.ranked.finding.key == wanted]
    found = keyed or [c for c in every if c.ranked.finding.id == wanted.upper()]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(str(c.number) for c in found)
        raise UsageError(f"{clean(wanted):.80} is in rows {numbers}: give one number", hint=HINT)
    raise UsageError(f"no row is {clean(wanted)!r:.80}: give a number, a key or an ID", hint=HINT)
