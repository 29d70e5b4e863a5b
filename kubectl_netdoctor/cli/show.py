"""Judge a snapshot and print it in the wanted format; the exit code comes from the judgement."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TextIO

import click

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Check, Severity
from kubectl_netdoctor.checks.catalogue import select, unknown
from kubectl_netdoctor.cli.outputs import Output
from kubectl_netdoctor.cli.whole_file import write_whole
from kubectl_netdoctor.errors import CannotWrite, ExitCode, UsageError
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.report import lines
from kubectl_netdoctor.report.terminal import clean


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


def show(
    snapshot: Snapshot,
    checks: Mapping[str, Check],
    options: Mapping[str, Any],
    *,
    interrupted: bool = False,
    told: Collection[str] | None = None,
) -> int:
    """Print the diagnosis and write the wanted files; the exit code comes from the judgement.

    `told`: lines of JSON that standard output has got already, None where it has got nothing. Raises CannotWrite, after everything that could be written.
    """
    from kubectl_netdoctor.cli.present import early, prepared

    early(options)
    found = prepared(snapshot, checks, options)
    found.keep()
    return conclude(found.diagnosis, options, interrupted=interrupted, told=told)


def conclude(
    diagnosis: Diagnosis,
    options: Mapping[str, Any],
    *,
    interrupted: bool = False,
    told: Collection[str] | None = None,
) -> int:
    """Print and write what was judged already, as show() does."""
    code = code_of(diagnosis, options, interrupted=interrupted)
    for note in diagnosis.notes:
        click.echo(f"warning: {clean(note)}", err=True)
    deliver(diagnosis, options["output"], code, told=told)
    return code


def code_of(diagnosis: Diagnosis, options: Mapping[str, Any], *, interrupted: bool = False) -> int:
    """The exit code of a judgement."""
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    return int(diagnosis.exit_code(Severity(options["fail_on"])))


def deliver(
    diagnosis: Diagnosis,
    outputs: Iterable[Output],
    code: int,
    *,
    told: Collection[str] | None = None,
) -> None:
    """Files first: the reader of standard output may go away. Raises CannotWrite at the end."""
    failed: CannotWrite | None = None
    screen = ""
    for wanted in outputs:
        if wanted.file is None and wanted.form == "jsonl" and told is not None:
            screen = "".join(lines.rest(diagnosis, exit_code=code, told=told))
            continue
        if wanted.file is None:
            screen = render(diagnosis, wanted.form, code, sys.stdout)
            continue
        try:
            write_whole(wanted.file, render(diagnosis, wanted.form, code, io.StringIO()).encode())
        except CannotWrite as exc:
            failed = failed or exc
        else:
            click.echo(f"{wanted.form} written to {wanted.file}", err=True)
    sys.stdout.write(screen)
    sys.stdout.flush()
    if failed:
        raise failed


def render(diagnosis: Diagnosis, output: str, code: int, stream: TextIO) -> str:
    """The diagnosis as text of one format."""
    match output:
        case "json" | "yaml":
            from kubectl_netdoctor.report import accepted, document, structured

            found = document.document(diagnosis, exit_code=code)
            if diagnosis.suppressed:
                found["suppressed"] = accepted.values(diagnosis)
            return (structured.to_json if output == "json" else structured.to_yaml)(found)
        case "markdown":
            from kubectl_netdoctor.report.markdown import markdown

            return markdown(diagnosis, exit_code=code)
        case "short":
            from kubectl_netdoctor.report.short import short

            return short(diagnosis, exit_code=code)
        case "junit":
            from kubectl_netdoctor.report.junit import junit

            return junit(diagnosis, exit_code=code)
        case "sarif":
            from kubectl_netdoctor.report.sarif import sarif
            from kubectl_netdoctor.report.structured import to_json

            return to_json(sarif(diagnosis, exit_code=code))
        case "jsonl":
            return "".join(lines.everything(diagnosis, exit_code=code))
        case "html":
            from kubectl_netdoctor.report.html.page import page

            return page(diagnosis, exit_code=code)
    from kubectl_netdoctor.report import table, terminal

    style = terminal.style_of(stream)
    return table.table(diagnosis, style, wide=output == "wide", exit_code=code)
