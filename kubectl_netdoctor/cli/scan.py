"""`scan` and `clean`: from options to a snapshot, and from there to the result."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.cli.captures import REDACTED, NodeCaptures
from kubectl_netdoctor.cli.outputs import only_screen, to_screen
from kubectl_netdoctor.cli.packing import RunLog, Tee
from kubectl_netdoctor.cli.present import Scanned, early, finish, prepared
from kubectl_netdoctor.cli.run_record import now, run_info
from kubectl_netdoctor.cli.show import chosen_checks
from kubectl_netdoctor.errors import ExitCode, UsageError
from kubectl_netdoctor.facts.snapshot import Snapshot

if TYPE_CHECKING:  # the Kubernetes client is slow to load: not before it is needed
    from kubectl_netdoctor.cli.streaming import NodeLines
    from kubectl_netdoctor.cluster.api import Api
    from kubectl_netdoctor.cluster.order import Listener, RunOptions
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
    early(options, ("--kubeconfig", kube.get("kubeconfig")))
    if options["dry_run"]:
        return dry_run(options, kube, checks, secrets.token_hex(4))
    if options["watch"]:
        from kubectl_netdoctor.cli.watching import watch

        return watch(lambda: scan_once(options, kube, checks), options)
    return finish(scan_once(options, kube, checks), options)


def scan_once(
    options: Mapping[str, Any], kube: Mapping[str, Any], checks: Mapping[str, Check]
) -> Scanned:
    """One scan, judged; nothing is written but progress."""
    run, started, log = secrets.token_hex(4), now(), RunLog()
    interrupted = False
    stream = None
    if options["local"]:
        snapshot = local(options, checks, run, started)
    else:
        from kubectl_netdoctor.cli.streaming import NodeLines

        streams = to_screen(options["output"]) == "jsonl" and not options["redact"]
        stream = NodeLines(sys.stdout) if streams else None
        snapshot, interrupted = remote(options, kube, checks, run, started, log, stream)
    return Scanned(
        prepared(snapshot, checks, options), interrupted, stream.told if stream else None, log
    )


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
    log: RunLog,
    stream: NodeLines | None = None,
) -> tuple[Snapshot, bool]:
    """The snapshot of a cluster's nodes, and whether Ctrl-C cut it short."""
    from kubectl_netdoctor.cli.first_findings import FirstFindings, wanted
    from kubectl_netdoctor.cli.progress import ProgressLine
    from kubectl_netdoctor.cluster.connect import connect
    from kubectl_netdoctor.cluster.run import run_agents
    from kubectl_netdoctor.cluster.service_changes import read_service_changes
    from kubectl_netdoctor.cluster.signals import as_interrupts

    voice = cast("TextIO", Tee(sys.stderr, log.said))
    progress = ProgressLine(
        voice, quiet=options["quiet"], verbose=options["verbose"], deadline=options["timeout"]
    )
    with as_interrupts():
        api = connect(connect_options(kube))
        try:
            orders = prepare(api, options, kube.get("namespace"), checks.values(), run)
            progress.begin(orders.options.namespace, run, orders.chosen, orders.skip)
            place = {"context": api.context, "server": api.server}
            begun = replace(run_info(options, run, started, (), **place), nodes=orders.chosen)
            listen: Listener = progress
            if stream:
                stream.begin(begun)
                listen = stream.beside(progress)
            elif progress.terminal and wanted(options):
                listen = FirstFindings(checks, begun, orders.cluster, options).beside(progress)
            order = orders.options
            if options["pcap"]:
                log.captures = NodeCaptures(orders.plans)
                order = replace(order, heard=log.captures.heard)
            outcome = run_agents(
                api,
                orders.plans,
                order,
                skip=orders.skip,
                progress=listen,
            )
            progress.end(outcome.warnings)
            log.warnings = outcome.warnings
            cluster = orders.cluster
            if outcome.companions is not None:
                cluster["companions"] = outcome.companions
            if not outcome.interrupted:
                cluster |= read_service_changes(api)
            info = run_info(options, run, started, outcome.reports, **place)
            return Snapshot(info, outcome.reports, cluster), outcome.interrupted
        finally:
            log.written = api.written
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
    from kubectl_netdoctor.facts.captures import share
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
            keep_packets=share(len(chosen)) if options["pcap"] and not options["redact"] else 0,
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

    if any(options[o] for o in ("local", "save", "bundle", "watch")):
        raise UsageError(
            "--dry-run goes with none of --local, --save, --bundle, --watch: nothing is measured"
        )
    form = only_screen(options["output"])
    if form not in ("table", "wide", "json", "yaml"):
        raise UsageError("--dry-run prints a table, or the objects with -o yaml or -o json")
    api = connect(connect_options(kube))
    try:
        orders = prepare(api, options, kube.get("namespace"), checks.values(), run)
    finally:
        api.close()
    if options["pcap"] and options["redact"]:
        click.echo(f"warning: {REDACTED}", err=True)
    show_objects = form in ("json", "yaml")
    click.echo((objects if show_objects else rehearsal)(orders, form), nl=False)
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
