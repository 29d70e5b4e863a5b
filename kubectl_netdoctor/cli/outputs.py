"""`-o FORMAT[=FILE]`, as often as wanted: at most one result goes to standard output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click

from kubectl_netdoctor.cli.places import obstacle
from kubectl_netdoctor.errors import UsageError

FORMATS = (
    "table", "wide", "short", "json", "yaml", "markdown", "html", "junit", "sarif", "jsonl",
)  # fmt: skip
FOR_TERMINALS = ("table", "wide", "short")  # in the terminal's encoding; the others are UTF-8


@dataclass(frozen=True, slots=True)
class Output:
    """One wanted result; `file` None: standard output."""

    form: str
    file: str | None = None


class OutputTo(click.ParamType[Output]):
    """A format, and after `=` the file that it goes to."""

    name = "output"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Output:
        """Refuse early what could not be written after the scan."""
        if isinstance(value, Output):
            return value
        form, equals, file = value.partition("=")
        if form not in FORMATS:
            self.fail(f"{form!r} is no format: choose {', '.join(FORMATS)}", param, ctx)
        if not equals or file == "-":
            return Output(form)
        if why := obstacle(file):
            self.fail(f"cannot write {form} to {file!r}: {why}", param, ctx)
        return Output(form, file)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Formats; after `=` the shell's own file names."""
        from click.shell_completion import CompletionItem

        del ctx, param
        form, equals, file = incomplete.partition("=")
        if equals:
            return [CompletionItem(file, type="file")] if form in FORMATS else []
        return [CompletionItem(f) for f in FORMATS if f.startswith(form)]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As in the usage line."""
        del param, ctx
        return "FORMAT[=FILE]"


def together(
    _ctx: click.Context, _param: click.Parameter, wanted: tuple[Output, ...]
) -> tuple[Output, ...]:
    """Refuse two results for standard output. Nothing asked for: the table."""
    if [w.file for w in wanted].count(None) > 1:
        raise click.BadParameter("one result goes to standard output, the others need =FILE")
    return wanted or (Output("table"),)


def only_screen(wanted: Iterable[Output]) -> str:
    """The one format, of a command that writes no files. Raises UsageError."""
    match tuple(wanted):
        case (Output(form, None),):
            return form
    raise UsageError("this prints one result, on standard output: give one -o, without a file")


def to_screen(wanted: Iterable[Output]) -> str | None:
    """The format of what goes to standard output, None where only files are written."""
    return next((w.form for w in wanted if w.file is None), None)
