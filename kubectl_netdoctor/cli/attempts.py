"""Several things to write: one that fails takes no other with it, and every failure is said."""

from __future__ import annotations

from collections.abc import Callable

import click

from kubectl_netdoctor.errors import CannotWrite, NetdoctorError, UsageError


def each(*writes: Callable[[], object]) -> None:
    """Try all, in this order. Raises the last CannotWrite; those before are said here."""
    failed: CannotWrite | None = None
    for write in writes:
        try:
            write()
        except CannotWrite as exc:
            if failed:
                complain(failed)
            failed = exc
    if failed:
        raise failed


def complain(error: NetdoctorError) -> int:
    """Print an error and return its exit code."""
    prefix = "usage: " if isinstance(error, UsageError) else "error: "
    click.echo(prefix + error.message, err=True)
    if error.hint:
        click.echo("hint: " + error.hint, err=True)
    return int(error.exit_code)
