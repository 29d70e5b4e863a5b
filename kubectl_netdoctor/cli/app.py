"""Commands: parse, call one function, print, exit."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import click

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cli.attempts import complain
from kubectl_netdoctor.cli.file_commands import COMMANDS
from kubectl_netdoctor.cli.options import (
    Seconds,
    Target,
    kube_options,
    report_options,
)
from kubectl_netdoctor.cli.outputs import only_screen
from kubectl_netdoctor.cli.sharing import sharing_options
from kubectl_netdoctor.cli.streams import standard_streams
from kubectl_netdoctor.errors import ExitCode, NetdoctorError, UsageError

DEFAULT_IMAGE = f"netdoctor-agent:{__version__}"
EXIT_CODES = """
\b
Exit codes:
  0    clean: nothing at or above --fail-on
  1    findings at or above --fail-on
  2    usage, or a file or standard output that cannot be read or written
  3    incomplete: some node or check could not be measured
  4    could not run
  130  interrupted
"""
EXAMPLES = """
\b
Examples:
  kubectl netdoctor scan --node worker-3
  kubectl netdoctor scan --all-nodes -o table -o html=report.html --save before.json
  kubectl netdoctor scan --local
  kubectl netdoctor explain RTE-09
  kubectl netdoctor explain --finding 1 before.json
"""


@click.group(
    name="kubectl netdoctor",
    epilog=EXAMPLES + EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="kubectl-netdoctor")
@kube_options
@click.pass_context
def cli(ctx: click.Context, /, **kube: Any) -> None:
    """Find out why the network of Kubernetes nodes is broken: what, where, how sure, which fix."""
    ctx.obj = kube


def connection(ctx: click.Context, own: dict[str, Any]) -> dict[str, Any]:
    """Kubectl's options, wherever they stood: a command's own win over those before it."""
    before: dict[str, Any] = ctx.obj or {}
    names = [o.name for o in ctx.command.params if o.name in before]
    return {n: own.pop(n) or before[n] for n in names if n}


@cli.command(epilog=EXIT_CODES)
@click.option("--node", "nodes", multiple=True, metavar="NAME", help="Scan this node (repeatable).")
@click.option("-l", "--selector", metavar="LABELS", help="Scan the nodes with these labels.")
@click.option("--all-nodes", is_flag=True, help="Scan every node.")
@click.option("--local", is_flag=True, help="Scan this machine: no cluster, no root needed.")
@report_options
@sharing_options
@click.option("--save", type=click.Path(dir_okay=False), metavar="FILE", help="Write the snapshot.")
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write snapshot, reports, log and checksums into one archive: .tar.gz or .tar.zst.",
)
@click.option(
    "--pcap",
    is_flag=True,
    help="With --bundle: keep packets of the run's own marked probes, as each node saw them, and of "
    "nothing else (pcapng, in bounds).",
)
@click.option("--watch", is_flag=True, help="Repeat until Ctrl-C, and print what changed.")
@click.option(
    "--interval",
    type=Seconds(),
    default="30s",
    show_default=True,
    metavar="TIME",
    help="With --watch: the pause between two scans.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    default="60s",
    show_default=True,
    metavar="TIME",
    help="Deadline of the whole run.",
)
@click.option(
    "--window",
    type=Seconds(),
    default="1s",
    show_default=True,
    metavar="TIME",
    help="How long counters are watched and probes are sent.",
)
@click.option(
    "--image",
    default=DEFAULT_IMAGE,
    show_default=True,
    envvar="NETDOCTOR_IMAGE",
    help="Agent image (environment: NETDOCTOR_IMAGE).",
)
@click.option(
    "--image-pull-policy",
    type=click.Choice(["Always", "IfNotPresent", "Never"]),
    default="IfNotPresent",
    show_default=True,
    help="As in a Pod.",
)
@click.option("--image-pull-secret", multiple=True, metavar="NAME", help="Secret of the namespace.")
@click.option(
    "--runner",
    type=click.Choice(["auto", "job", "pod"]),
    default="auto",
    show_default=True,
    help="What carries the agent; auto: Jobs up to 50 nodes, bare Pods above.",
)
@click.option(
    "--companion/--no-companion",
    default=True,
    show_default=True,
    help="Probe from the pod network too, by a small unprivileged Pod beside each agent. None is "
    "started where IPv4 forwarding is off: some CNI plugins would switch it on.",
)
@click.option(
    "--target",
    multiple=True,
    type=Target(),
    metavar="HOST[:PORT]",
    help="Probe this place too, from nodes and from pods (repeatable); none by default.",
)
@click.option(
    "--convergence",
    is_flag=True,
    help="Measure how soon a new endpoint of a Service reaches each node, by a Service of the run's "
    "own (it needs to create Services).",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Create nothing: print what would be created and sent (-o yaml: the objects).",
)
@click.option("--keep", is_flag=True, help="Leave Jobs and Pods until the run's deadline.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", count=True, help="Show what is requested and created.")
@kube_options
@click.pass_context
def scan(ctx: click.Context, /, **options: Any) -> None:
    """Launch the agent on nodes, judge what it sees, print the ranked findings."""
    from kubectl_netdoctor.cli.scan import scan as run

    kube = connection(ctx, options)
    ctx.exit(run(options, kube))


@cli.command(epilog=EXIT_CODES)
@click.argument("file", type=click.Path(allow_dash=True))
@report_options
@sharing_options
@click.pass_context
def analyze(ctx: click.Context, /, file: str, **options: Any) -> None:
    """Judge a saved snapshot, or that of a bundle, again: no cluster is touched."""
    from kubectl_netdoctor.cli.present import early
    from kubectl_netdoctor.cli.saved import load
    from kubectl_netdoctor.cli.show import chosen_checks, show

    checks = chosen_checks(options["select"], options["ignore"])
    early(options, ("FILE", file))
    ctx.exit(show(load(file), checks, options))


@cli.command()
@click.argument("what", metavar="ID|FILE")
@click.option(
    "--finding",
    metavar="N",
    help="Argue row N of a saved scan, FILE (also by its key, or by an ID that only it has).",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="With --finding: the format.",
)
@click.option("--select", multiple=True, metavar="ID", help="As in the report that numbers rows.")
@click.option("--ignore", multiple=True, metavar="ID", help="As in that report.")
@click.option(
    "--suppressions",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="As in that report.",
)
def explain(what: str, finding: str | None, **options: Any) -> None:
    """Say what a check looks for, what it means and what to do; or argue one finding of a scan.

    With --finding: the evidence for it and against it, and why it ranks where it does.
    """
    if finding is not None:
        from kubectl_netdoctor.cli.argue import argue

        click.echo(argue(what, finding, options), nl=False)
        return
    if options != {"output": "text", "select": (), "ignore": (), "suppressions": None}:
        raise UsageError("-o, --select, --ignore and --suppressions go with --finding")
    from kubectl_netdoctor.cli.pages import page

    click.echo(page(what.upper()), nl=False)


@cli.command()
@report_options
def checks(**options: Any) -> None:
    """List the checks."""
    from kubectl_netdoctor.cli.pages import listing

    form = only_screen(options["output"])
    click.echo(listing(options["select"], options["ignore"], form), nl=False)


@cli.command()
@click.option("--all-namespaces", "-A", is_flag=True, help="In all namespaces.")
@kube_options
@click.pass_context
def clean(ctx: click.Context, /, *, all_namespaces: bool, **options: Any) -> None:
    """Remove what interrupted runs have left, at once."""
    from kubectl_netdoctor.cli.scan import clean as run

    ctx.exit(run(connection(ctx, options), everywhere=all_namespaces))


@cli.command()
def version() -> None:
    """Print the version of this tool and of the agent image that it asks for."""
    click.echo(f"kubectl-netdoctor {__version__}\nagent image {DEFAULT_IMAGE}")


for command in COMMANDS:
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with standard_streams():
        code = run(arguments)
    sys.exit(code)


def run(arguments: list[str] | None) -> int:
    """The exit code; every error is one sentence, a hint and the documented exit code."""
    try:
        code = cli.main(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as exc:
        exc.show()
        code = ExitCode.USAGE
    except click.exceptions.Exit as exc:
        code = exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except NetdoctorError as exc:
        code = complain(exc)
    except Exception:  # noqa: BLE001  # a defect: Python's own 1 would mean findings
        traceback.print_exc()
        code = ExitCode.COULD_NOT_RUN
    return code if isinstance(code, int) else 0
