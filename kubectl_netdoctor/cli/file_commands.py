"""Commands on saved files, without a cluster: diff, redact, unredact."""

from __future__ import annotations

from typing import Any

import click

DIFF_EXIT_CODES = """
\b
Exit codes:
  0    no difference (or, with --fail-on, none that counts)
  1    some finding is fixed, new, changed or no longer measured
  2    usage, or a file or standard output that cannot be read or written
"""


@click.command(epilog=DIFF_EXIT_CODES)
@click.argument("before", type=click.Path(allow_dash=True))
@click.argument("after", type=click.Path(allow_dash=True))
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
    help="Format of the result on standard output.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["any", "new", "never"]),
    default="any",
    show_default=True,
    help="Exit 1 on any difference, on new findings only, or never.",
)
@click.option("--select", multiple=True, metavar="ID", help="Only checks with this prefix.")
@click.option("--ignore", multiple=True, metavar="ID", help="No checks with this prefix.")
@click.pass_context
def diff(ctx: click.Context, /, before: str, after: str, **options: Any) -> None:
    """Compare two saved snapshots: what is fixed, new, changed, or no longer measured."""
    from kubectl_netdoctor.cli.compare import compare

    ctx.exit(compare(before, after, options))


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="FILE",
    help="The redacted snapshot.",
)
@click.option(
    "--map",
    "map_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Keep the pseudonyms here, for unredact; a map that is there already is used again.",
)
@click.pass_context
def redact(ctx: click.Context, /, file: str, output: str, map_file: str | None) -> None:
    """Copy a snapshot with pseudonyms for names and addresses; findings stay the same."""
    from kubectl_netdoctor.cli.redacting import redact_file

    ctx.exit(redact_file(file, output, map_file))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@click.option(
    "--map",
    "map_file",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="FILE",
    help="What redact --map wrote.",
)
@click.pass_context
def unredact(ctx: click.Context, /, file: str, map_file: str) -> None:
    """Print a text (standard input by default) with names and addresses instead of pseudonyms."""
    from kubectl_netdoctor.cli.redacting import unredact as run

    ctx.exit(run(file, map_file))


COMMANDS = (diff, redact, unredact)
