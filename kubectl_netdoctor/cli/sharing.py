"""Options for results that somebody else reads: pseudonyms, and findings that are known already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def sharing_options(function: F) -> F:
    """Add --redact, --map and --suppressions."""
    options = (
        click.option(
            "--redact",
            is_flag=True,
            help="Pseudonyms for names and addresses in everything that is written: subnets, "
            "MTUs, ports and findings stay.",
        ),
        click.option(
            "--map",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="With --redact: keep the pseudonyms here, for unredact; a map that is there "
            "already is used again.",
        ),
        click.option(
            "--suppressions",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Accepted findings (YAML: id, reason, expires, nodes, subjects): they do not "
            "count for the exit code and are listed apart.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
