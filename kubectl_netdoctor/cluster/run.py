"""One run: an agent on every node at once, their reports, and nothing left behind."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from functools import partial

from kubectl_netdoctor.cluster import bodies, manifest, sweep
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import FORBIDDEN, ApiError, Unreachable
from kubectl_netdoctor.cluster.companion_manifest import COMPANION
from kubectl_netdoctor.cluster.companions import CompanionCrew
from kubectl_netdoctor.cluster.loop import MAIN, Loop
from kubectl_netdoctor.cluster.node_run import LOGS, Crew, NodeRun
from kubectl_netdoctor.cluster.order import (
    SLACK_SECONDS,
    Listener,
    Outcome,
    Progress,
    RunOptions,
    Stuck,
    silent,
)
from kubectl_netdoctor.cluster.watch import Change, Event, Watch
from kubectl_netdoctor.errors import ApiDenied, Interrupted, NetdoctorError
from kubectl_netdoctor.facts.plan import Plan, introduced
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus

LANES = {MAIN: 8, LOGS: 6}  # threads; of ten connections the watch holds one
JOBS_AT_ONCE = 50
GIVE_UP_SECONDS = 20.0  # without any answer of the API
NEWS_SECONDS = 1.0  # between looks at what is stuck, also where nothing happens


def run_agents(
    api: Api,
    plans: Mapping[str, Plan],
    options: RunOptions,
    *,
    skip: Mapping[str, str] | None = None,
    progress: Listener = silent,
) -> Outcome:
    """Run each node's plan on it; nodes in `skip` are reported with that reason, without a Pod.

    Whatever happens, everything it made is removed. After Ctrl-C what arrived so far is returned;
    Interrupted is raised when nothing had. Raises ApiDenied or NoCluster when it cannot begin.
    """
    skipped = {**manifest.same_hash(plans), **(skip or {})}
    asked = {name: plan for name, plan in plans.items() if name not in skipped}
    nodes = introduced(asked, secrets.token_hex(16))
    session = _Session(api, nodes, options, progress)
    warnings: list[str] = []
    interrupted = False
    try:
        if nodes:
            session.run()
    except KeyboardInterrupt:
        interrupted = True
        warnings += session.abort("interrupted")
    except BaseException:
        session.abort("the run broke")
        raise
    else:
        warnings += session.finish() if nodes else []
    reports = {
        **{n: NodeReport(n, NodeStatus.NOT_REACHED, why, None) for n, why in skipped.items()},
        **{node.name: node.report for node in session.nodes.values() if node.report},
    }
    if interrupted and not any(r.envelope for r in reports.values()):
        raise Interrupted("interrupted before any node answered", hint="; ".join(warnings) or None)
    order = [*plans, *(n for n in skipped if n not in plans)]
    return Outcome(
        tuple(reports[n] for n in order),
        (*session.warnings, *warnings),
        interrupted,
        session.companions.fact(),
    )


class _Session:
    """The run's state; all of it is touched by the calling thread only."""

    def __init__(
        self, api: Api, plans: Mapping[str, Plan], options: RunOptions, progress: Listener
    ) -> None:
        self._api = api
        self._options = options
        self._progress = progress
        self._loop = Loop(LANES)
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._crew = Crew(api, options, self._loop, self._stop, self._finished)
        self._crew.pods = options.uses_pods(len(plans))
        asked = plans if options.companions else ()
        self.companions = CompanionCrew(self._crew, asked)
        self.nodes = {
            manifest.node_hash(name): NodeRun(name, self.companions.awaited(plan), self._crew)
            for name, plan in plans.items()
        }
        self._queue = list(self.nodes.values())[::-1]
        self._running: set[str] = set()
        self._answered = self._lost_nodes = 0
        self._watch: Watch | None = None
        self._away_since: float | None = None
        self._over: str | None = None
        self._stuck: tuple[Stuck, ...] = ()
        self.warnings: list[str] = []

    def run(self) -> None:
        """Go on until every node has a report."""
        end = self._started + self._options.deadline
        self._loop.call(self._make_anchor, self._anchored)
        threading.Thread(target=self._follow, daemon=True).start()
        self._tell(None)
        self._loop.after(NEWS_SECONDS, self._look)
        in_time = self._loop.run(
            until=lambda: self._over is not None or self._done == len(self.nodes),
            deadline=end,
        )
        if not in_time:
            self._end(f"the run's deadline of {self._options.deadline:g} s passed")
        elif self._over is not None:
            self._end(self._over)

    def finish(self) -> list[str]:
        """The normal end: one call, no waiting."""
        self._halt(patience=0.0)
        options = self._options
        if options.keep:
            stay = (
                f"the objects of run {options.run} stay in namespace {options.namespace} for "
                f"{options.lifetime / 60:.0f} minutes (--keep); remove them with: "
                f"{sweep.command(options.namespace, options.run)}"
            )
            return [stay]
        try:
            sweep.release(
                self._api,
                options.namespace,
                options.run,
                stuck=[
                    *(n.stuck_pod for n in self.nodes.values() if n.stuck_pod),
                    *self.companions.stuck_pods,
                ],
                all_pods=self._crew.pods_only,
            )
        except ApiError as exc:
            return [sweep.left_behind(options.namespace, options.run, exc.message)]
        except KeyboardInterrupt:
            return self.abort("interrupted")
        return []

    def abort(self, why: str) -> list[str]:
        """An early end: remove everything now, and wait until it is gone."""
        self._progress = silent
        try:
            self._end(why)
            self._halt(patience=2.0)
        except KeyboardInterrupt:
            why = "the removal was interrupted"
            return [sweep.left_behind(self._options.namespace, self._options.run, why)]
        options = self._options
        warning = sweep.try_to_remove(
            self._api, options.namespace, options.run, service=options.convergence
        )
        return [warning] if warning else []

    def _end(self, why: str) -> None:
        self._stop.set()
        for node in self.nodes.values():
            node.give_up(why)

    def _halt(self, patience: float) -> None:
        self._stop.set()
        if self._watch is not None:
            self._watch.close()
        self._loop.stop(patience)

    def _make_anchor(self) -> manifest.Owner:
        options = self._options
        body = bodies.anchor(options)
        made, _ = self._api.create(sweep.jobs_path(options.namespace), body)
        return manifest.Owner(manifest.run_name(options.run), made["metadata"]["uid"])

    def _anchored(self, owner: manifest.Owner | ApiError) -> None:
        if isinstance(owner, ApiError):
            raise _cannot_begin(owner, self._options.namespace)
        self._crew.owner = owner
        self._fill()
        self._tell(None)

    @property
    def _done(self) -> int:
        return self._answered + self._lost_nodes

    @property
    def _in_flight(self) -> int:
        return len(self.nodes) - len(self._queue) - self._done

    def _fill(self) -> None:
        """Begin as many nodes as may be in flight."""
        while self._queue and (self._crew.pods or self._in_flight < JOBS_AT_ONCE):
            self._queue.pop().begin()

    def _finished(self, node: NodeRun) -> None:
        if node.report and node.report.envelope:
            self._answered += 1
        else:
            self._lost_nodes += 1
        self._running.discard(node.name)
        self.companions.agent_is_over(node)
        if not self._stop.is_set():
            self._fill()
        self._tell(node.report)

    def _look(self) -> None:
        """Time passes: tell it, and who is stuck."""
        all_nodes = self.nodes.values()
        self._stuck = tuple(Stuck(n.name, why) for n in all_nodes if (why := n.stuck_because))
        self._tell(None)
        self._loop.after(NEWS_SECONDS, self._look)

    def _tell(self, finished: NodeReport | None) -> None:
        self._progress(
            Progress(
                total=len(self.nodes),
                waiting=len(self._queue),
                starting=self._in_flight - len(self._running),
                running=len(self._running),
                answered=self._answered,
                lost=self._lost_nodes,
                finished=finished,
                stuck=self._stuck,
            )
        )

    def _follow(self) -> None:
        """Watch the run's Pods, in a thread of its own."""
        seconds = self._options.deadline + SLACK_SECONDS
        selector = {"labelSelector": manifest.run_selector(self._options.run)}
        watch = self._api.watch(sweep.pods_path(self._options.namespace), selector, seconds=seconds)
        self._watch = watch
        if self._stop.is_set():
            return
        try:
            for event in watch:
                self._loop.post(partial(self._seen, event))
        except ApiError as exc:
            self._loop.post(partial(self._blind, exc))

    def _blind(self, error: ApiError) -> None:
        self._over = f"the Pods of the run cannot be watched: {error.said}"

    def _seen(self, event: Event) -> None:
        if event.change is Change.LOST:
            self._lost(event.error)
            return
        self._away_since = None
        if event.change is Change.LISTED:
            return
        metadata = event.object.get("metadata") or {}
        if (metadata.get("labels") or {}).get(manifest.ROLE) == COMPANION:
            self.companions.seen(event)
            return
        node = self.nodes.get((metadata.get("labels") or {}).get(manifest.NODE, ""))
        if node is None:
            return
        if event.change is Change.DELETED:
            node.pod_deleted(event.object)
        else:
            node.pod_seen(event.object)
        if node.ran and not node.report and node.name not in self._running:
            self._running.add(node.name)
            self.companions.agent_runs(node)
            self._tell(None)
        if node.ready and not node.report:
            self.companions.agent_is_ready(node)

    def _lost(self, error: ApiError | None) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        said = error.said if error else "no answer"
        if now - self._away_since > GIVE_UP_SECONDS:
            self._over = f"the API server has not answered for {GIVE_UP_SECONDS:g} s: {said}"
            self.warnings.append(self._over)


def _cannot_begin(error: ApiError, namespace: str) -> NetdoctorError:
    if isinstance(error, Unreachable):
        return error
    if error.status == FORBIDDEN:
        return ApiDenied(
            f"the API refuses the run's first object in namespace {namespace}: {error.said}",
            hint="kubectl apply -f manifests/netdoctor.yaml -f manifests/rbac.yaml, or choose -n",
        )
    return error
