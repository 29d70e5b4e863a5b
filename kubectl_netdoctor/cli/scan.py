"""`scan` and `clean`: from options to a snapshot, and from there to the result."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from kubectl_netdoctor import __version__
from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.cli.saved import save
from kubectl_netdoctor.cli.show import chosen_checks, show
from kubectl_netdoctor.errors import ExitCode, UsageError
from kubectl_netdoctor.facts.snapshot import NodeReport, RunInfo, Snapshot

if TYPE_CHECKING:  # the Kubernetes client is slow to load: not before it is needed
    from kubectl_netdoctor.cluster.api import Api
    from kubectl_netdoctor.cluster.order import RunOptions
    from kubectl_netdoctor.facts.plan import Plan

START_UP = 5.0  # seconds of the deadline that belong to Pod start and log, not to the agent


def scan(options: dict[str, Any], kube: Mapping[str, Any]) -> int:
    """Run one scan and return the exit code."""
    checks = chosen_checks(options["select"], options["ignore"])
    if options["timeout"] < options["window"] + START_UP:
        raise UsageError(
            f"--timeout {options['timeout']:g}s leaves no time for --window {options['window']:g}s",
            hint=f"give at least {options['window'] + START_UP:g}s",
        )
    if options["convergence"] and (options["local"] or not options["companion"]):
        raise UsageError("--convergence needs companions: not with --local or --no-companion")
    run, started = secrets.token_hex(4), now()
    if options["dry_run"]:
        return dry_run(options, kube, checks, run)
    interrupted = False
    if options["local"]:
        snapshot = local(options, checks, run, started)
    else:
        snapshot, interrupted = remote(options, kube, checks, run, started)
    if options["save"]:
        save(snapshot, options["save"])
    code = show(snapshot, checks, options)
    return int(ExitCode.INTERRUPTED) if interrupted else code


def now() -> str:
    """The time in UTC, RFC 3339, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def local(
    options: Mapping[str, Any], checks: Mapping[str, Check], run: str, started: str
) -> Snapshot:
    """The snapshot of this machine alone."""
    from kubectl_netdoctor.cli.local import scan_this_machine

    if any(options[o] for o in ("nodes", "selector", "all_nodes")):
        raise UsageError("--local scans this machine: it goes with no choice of nodes")
    report = scan_this_machine(
        checks.values(),
        run=run,
        window=options["window"],
        timeout=options["timeout"],
        targets=options["target"],
    )
    return Snapshot(run_info(options, run, started, (report,)), (report,), {})


def remote(
    options: Mapping[str, Any],
    kube: Mapping[str, Any],
    checks: Mapping[str, Check],
    run: str,
    started: str,
) -> tuple[Snapshot, bool]:
    """The snapshot of a cluster's nodes, and whether Ctrl-C cut it short."""
    from kubectl_netdoctor.cli.progress import ProgressLine
    from kubectl_netdoctor.cluster.connect import connect
    from kubectl_netdoctor.cluster.run import run_agents
    from kubectl_netdoctor.cluster.service_changes import read_service_changes
    from kubectl_netdoctor.cluster.signals import as_interrupts

    progress = ProgressLine(sys.stderr, quiet=options["quiet"], verbose=options["verbose"])
    with as_interrupts():
        api = connect(connect_options(kube))
        try:
            orders = prepare(api, options, kube.get("namespace"), checks.values(), run)
            progress.begin(orders.options.namespace, run, orders.chosen, orders.skip)
            outcome = run_agents(
                api, orders.plans, orders.options, skip=orders.skip, progress=progress
            )
            progress.end(outcome.warnings)
            cluster = orders.cluster
            if outcome.companions is not None:
                cluster["companions"] = outcome.companions
            if not outcome.interrupted:
                cluster |= read_service_changes(api)
            info = run_info(
                options, run, started, outcome.reports, context=api.context, server=api.server
            )
            return Snapshot(info, outcome.reports, cluster), outcome.interrupted
        finally:
            api.close()


@dataclass(frozen=True, slots=True)
class Orders:
    """All that is decided before anything is created."""

    cluster: dict[str, Any]
    chosen: tuple[str, ...]
    skip: Mapping[str, str]  # nodes that are not tried, and why
    options: RunOptions
    plans: Mapping[str, Plan]


def prepare(
    api: Api,
    options: Mapping[str, Any],
    namespace: str | None,
    checks: Iterable[Check],
    run: str,
) -> Orders:
    """Read the cluster, choose the nodes and plan for each; nothing is created."""
    from kubectl_netdoctor.analysis.mesh import Mesh
    from kubectl_netdoctor.analysis.plan import plan_for
    from kubectl_netdoctor.cluster.inventory import read_inventory
    from kubectl_netdoctor.cluster.manifest import AgentImage
    from kubectl_netdoctor.cluster.order import Runner, RunOptions
    from kubectl_netdoctor.cluster.preflight import choose_namespace, preflight
    from kubectl_netdoctor.cluster.reach import unreachable
    from kubectl_netdoctor.cluster.select import select_nodes
    from kubectl_netdoctor.facts.plan import ExternalTarget

    checks = tuple(checks)
    cluster = read_inventory(api)
    nodes = known_nodes(cluster)
    chosen = select_nodes(
        api,
        nodes,
        names=options["nodes"],
        selector=options["selector"],
        everything=options["all_nodes"],
    )
    skip = {n: why for n, why in unreachable(nodes, datetime.now(UTC)).items() if n in chosen}
    image = AgentImage(options["image"], options["image_pull_policy"], options["image_pull_secret"])
    order = RunOptions(
        run,
        choose_namespace(api, namespace),
        image,
        Runner(options["runner"]),
        options["timeout"],
        options["keep"],
        companions=options["companion"],
        convergence=options["convergence"],
    )
    reachable = [n for n in chosen if n not in skip]
    if reachable:
        order = preflight(api, order, reachable[0])
    mesh = Mesh(nodes, reachable, run)
    plans = {
        name: plan_for(
            name,
            checks,
            cluster,
            run=run,
            window=options["window"],
            deadline=options["timeout"] - START_UP,
            peers=mesh.peers(name),
            targets=tuple(ExternalTarget(*target) for target in options["target"]),
        )
        for name in chosen
    }
    return Orders(cluster, tuple(chosen), skip, order, plans)


def dry_run(
    options: Mapping[str, Any], kube: Mapping[str, Any], checks: Mapping[str, Check], run: str
) -> int:
    """Print what a scan would create and send; the cluster is only read."""
    from kubectl_netdoctor.cli.rehearsal import objects, rehearsal
    from kubectl_netdoctor.cluster.connect import connect

    if options["local"] or options["save"]:
        raise UsageError("--dry-run goes with neither --local nor --save: nothing is measured")
    if options["output"] not in ("table", "wide", "json", "yaml"):
        raise UsageError("--dry-run prints a table, or the objects with -o yaml or -o json")
    api = connect(connect_options(kube))
    try:
        orders = prepare(api, options, kube.get("namespace"), checks.values(), run)
    finally:
        api.close()
    show_objects = options["output"] in ("json", "yaml")
    click.echo((objects if show_objects else rehearsal)(orders, options["output"]), nl=False)
    return int(ExitCode.CLEAN)


def connect_options(kube: Mapping[str, Any]) -> Any:
    """Kubectl's flags as the cluster layer wants them."""
    from kubectl_netdoctor.cluster.connect import ConnectOptions

    return ConnectOptions(
        kubeconfig=kube.get("kubeconfig"),
        context=kube.get("context"),
        cluster=kube.get("cluster"),
        user=kube.get("user"),
        impersonate_user=kube.get("as_user"),
        impersonate_groups=tuple(kube.get("as_group") or ()),
        request_timeout=kube.get("request_timeout"),
        namespace=kube.get("namespace"),
        server=kube.get("server"),
        token=kube.get("token"),
        insecure_skip_tls_verify=bool(kube.get("insecure_skip_tls_verify")),
    )


def known_nodes(cluster: Mapping[str, Any]) -> Any:
    """The Nodes of the inventory. Raises ApiDenied or CouldNotRun: nothing works without them."""
    from kubectl_netdoctor.errors import ApiDenied, CouldNotRun
    from kubectl_netdoctor.facts.base import Reason
    from kubectl_netdoctor.facts.cluster import Nodes

    nodes = cluster.get("nodes")
    if isinstance(nodes, Nodes):
        return nodes
    detail = getattr(nodes, "detail", "no answer")
    if getattr(nodes, "reason", None) is Reason.DENIED:
        hint = "ask an administrator for: kubectl apply -f manifests/rbac.yaml"
        raise ApiDenied(f"the nodes cannot be listed: {detail}", hint=hint)
    raise CouldNotRun(f"the nodes cannot be listed: {detail}")


def run_info(
    options: Mapping[str, Any],
    run: str,
    started: str,
    reports: tuple[NodeReport, ...],
    *,
    context: str | None = None,
    server: str | None = None,
) -> RunInfo:
    """The run, for the header of every report."""
    return RunInfo(
        id=run,
        started=started,
        ended=now(),
        command=("kubectl", "netdoctor", *without_secrets(sys.argv[1:])),
        tool_version=__version__,
        nodes=tuple(r.name for r in reports),
        local=options["local"],
        context=context,
        server=server,
        image=None if options["local"] else options["image"],
        window_seconds=options["window"],
    )


def without_secrets(arguments: list[str]) -> list[str]:
    """The command line as it may stand in a ticket: a token's value is left out."""
    out: list[str] = []
    hide = False
    for word in arguments:
        if hide:
            out.append("***")
        elif word.startswith("--token="):
            out.append("--token=***")
        else:
            out.append(word)
        hide = word == "--token"
    return out


def clean(kube: Mapping[str, Any], *, everywhere: bool) -> int:
    """Remove leftovers of interrupted runs and say what was removed."""
    from kubectl_netdoctor.cluster.clean import clean as remove
    from kubectl_netdoctor.cluster.connect import connect
    from kubectl_netdoctor.cluster.preflight import choose_namespace

    api = connect(connect_options(kube))
    try:
        namespaces = None if everywhere else [choose_namespace(api, kube.get("namespace"))]
        removed = remove(api, namespaces)
    finally:
        api.close()
    for name in removed:
        click.echo(f"removed {name}")
    place = "in all namespaces" if namespaces is None else f"in namespace {namespaces[0]}"
    click.echo(f"{len(removed)} objects removed {place}", err=True)
    return int(ExitCode.CLEAN)
