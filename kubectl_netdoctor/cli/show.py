"""Judge a snapshot and print it in the wanted format; the exit code comes from the judgement."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, TextIO

import click

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Check, Severity
from kubectl_netdoctor.checks.catalogue import select, unknown
from kubectl_netdoctor.cli.attempts import each
from kubectl_netdoctor.cli.outputs import FOR_TERMINALS, Output
from kubectl_netdoctor.cli.streams import put
from kubectl_netdoctor.cli.whole_file import write_whole
from kubectl_netdoctor.errors import ExitCode, UsageError
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


def show(snapshot: Snapshot, checks: Mapping[str, Check], options: Mapping[str, Any]) -> int:
    """Print the diagnosis and write the wanted files; the exit code comes from the judgement.

    Raises CannotWrite, after everything that could be written.
    """
    from kubectl_netdoctor.cli.present import prepared

    found = prepared(snapshot, checks, options)
    code = code_of(found.diagnosis, options)
    each(found.keep, lambda: conclude(found.diagnosis, options, code))
    return code


def conclude(
    diagnosis: Diagnosis,
    options: Mapping[str, Any],
    code: int,
    *,
    told: Collection[str] | None = None,
) -> None:
    """Print and write what was judged already.

    `told`: lines of JSON that standard output has got already, None where it has got nothing.
    """
    for note in diagnosis.notes:
        click.echo(f"warning: {clean(note)}", err=True)
    deliver(diagnosis, options["output"], code, told=told)


def code_of(diagnosis: Diagnosis, options: Mapping[str, Any], *, interrupted: bool = False) -> int:
    """The exit code of a judgement."""
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    return int(diagnosis.exit_code(Severity(options["fail_on"])))


def deliver(
    diagnosis: Diagnosis,
    outputs: Collection[Output],
    code: int,
    *,
    told: Collection[str] | None = None,
) -> None:
    """Files first: people wait for them least. Raises CannotWrite at the end."""
    files = [partial(_file, diagnosis, o.form, code, o.file) for o in outputs if o.file is not None]
    screen = [partial(_screen, diagnosis, o.form, code, told) for o in outputs if o.file is None]
    each(*files, *screen)


def _file(diagnosis: Diagnosis, form: str, code: int, file: str) -> None:
    text = render(diagnosis, form, code, io.StringIO())
    write_whole(file, text.encode("utf-8", "backslashreplace"))
    click.echo(f"{form} written to {file}", err=True)


def _screen(diagnosis: Diagnosis, form: str, code: int, told: Collection[str] | None) -> None:
    if form == "jsonl" and told is not None:
        text = "".join(lines.rest(diagnosis, exit_code=code, told=told))
    else:
        text = render(diagnosis, form, code, sys.stdout)
    put(text, utf8=form not in FOR_TERMINALS)


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
