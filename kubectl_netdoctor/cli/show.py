"""Judge a snapshot and print it in the wanted format; the exit code comes from the judgement."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.checks.base import Check, Severity
from kubectl_netdoctor.checks.catalogue import select, unknown
from kubectl_netdoctor.errors import UsageError
from kubectl_netdoctor.facts.snapshot import Snapshot


def chosen_checks(wanted: tuple[str, ...], ignored: tuple[str, ...]) -> dict[str, Check]:
    """The checks of --select and --ignore. Raises UsageError when nothing fits."""
    wanted, ignored = _split(wanted), _split(ignored)
    if strange := unknown((*wanted, *ignored)):
        hint = "kubectl netdoctor checks lists them"
        raise UsageError(f"no check has an ID that starts with {strange[0]!r}", hint=hint)
    checks = select(wanted, ignored)
    if not checks:
        raise UsageError("--ignore leaves no check of those selected")
    return checks


def _split(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(v.strip().upper() for value in values for v in value.split(",") if v.strip())


def show(snapshot: Snapshot, checks: Mapping[str, Check], options: Mapping[str, Any]) -> int:
    """Print the diagnosis on standard output and return the exit code."""
    diagnosis = diagnose(snapshot, checks)
    code = int(diagnosis.exit_code(Severity(options["fail_on"])))
    sys.stdout.write(render(diagnosis, options["output"], code, sys.stdout))
    sys.stdout.flush()
    return code


def render(diagnosis: Diagnosis, output: str, code: int, stream: TextIO) -> str:
    """The diagnosis as text of one format."""
    from kubectl_netdoctor.report import document, markdown, short, structured, table, terminal

    match output:
        case "json":
            return structured.to_json(document.document(diagnosis, exit_code=code))
        case "yaml":
            return structured.to_yaml(document.document(diagnosis, exit_code=code))
        case "markdown":
            return markdown.markdown(diagnosis)
        case "short":
            return short.short(diagnosis)
    return table.table(diagnosis, terminal.style_of(stream), wide=output == "wide")
