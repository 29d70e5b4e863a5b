"""The companions of a run: one is asked for when its node's agent runs, and all agents are told.

The agent is first, for starting a pod may change its node: CNI plugins switch forwarding on. So a
companion is asked for once its agent is ready, which says that the node forwards already; elsewhere
there is none, because a scan changes nothing.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubectl_netdoctor.cluster import (
    agent_spec,
    bodies,
    evidence,
    fields,
    manifest,
    pod_status,
    sweep,
)
from kubectl_netdoctor.cluster.api_errors import CONFLICT, FORBIDDEN, ApiError, Unreachable
from kubectl_netdoctor.cluster.companion_manifest import companion_name
from kubectl_netdoctor.cluster.node_run import AGAIN_SECONDS, Crew, NodeRun
from kubectl_netdoctor.cluster.order import Runner
from kubectl_netdoctor.cluster.pod_status import Phase, PodStatus
from kubectl_netdoctor.cluster.watch import Change, Event
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.companion import Companion, Companions, CompanionStatus
from kubectl_netdoctor.facts.plan import CompanionNews, CompanionTarget, Plan, news_text

PATIENCE_SECONDS = 8.0  # from the first agent's start, then agents are told what there is
PATIENCE_SHARE = 0.25  # of the run's deadline, at most
READY_SECONDS = 3.0  # after the agent's start; a busy kubelet may probe late
NEVER_READY = (
    "its agent was never ready: net.ipv4.ip_forward is not 1 or a bridge with ports is down, which "
    "starting a pod would change, or the kubelet did not probe in time"
)
NEWS_SECONDS = 2.0  # for the news to arrive
LOOK_SECONDS = 2.5  # after which events are asked why a companion does not start
MOST_LOOKS = 50  # companions whose events are asked for: a cluster-wide fault needs no more
HOPELESS = ("FailedCreatePodSandBox", "NetworkNotReady")
"""Events of the sandbox, which is where the CNI plugin works: waiting longer rarely helps."""

Json = dict[str, Any]


@dataclass(slots=True)
class _One:
    """One companion as far as it is known."""

    node: str
    pod: str  # its Pod's name
    asked: float = 0.0
    address: str | None = None
    came_up: float | None = None
    status: PodStatus | None = None
    refused: ApiError | None = None
    trouble: str | None = None
    said: str | None = None
    gone: str | None = None
    agent: NodeRun | None = None  # that runs

    def take(self, pod: Json) -> None:
        """Keep what its Pod says."""
        self.pod = fields.text(pod, "metadata", "name") or self.pod
        self.status = status = pod_status.read(pod)
        address = fields.text(pod, "status", "podIP")
        if status.phase is Phase.RUNNING and address and self.came_up is None:
            self.address, self.came_up = address, time.monotonic()
        elif status.phase in (Phase.ENDED, Phase.FAILED):
            self.gone = status.reason or "it has ended"

    @property
    def up(self) -> bool:
        """Whether it runs and has an address."""
        return self.came_up is not None and self.gone is None

    @property
    def done(self) -> bool:
        """Whether there is nothing to wait for."""
        over = self.up or self.refused is not None or self.gone is not None
        return over or self.trouble in HOPELESS

    def report(self, settled_at: float) -> Companion:
        """What became of it."""
        status: CompanionStatus = "not-started"
        said = self.said or self.gone
        if self.refused is not None:
            status, said = "refused", fields.one_line(self.refused.said)
        elif self.came_up is not None and self.gone is not None:
            status = "ended"
        elif self.came_up is not None:
            status = "running" if self.came_up <= settled_at else "late"
        return Companion(
            node=self.node,
            status=status,
            address=self.address,
            seconds=None if self.came_up is None else round(self.came_up - self.asked, 3),
            trouble=self.trouble,
            said=said,
        )


class CompanionCrew:
    """All companions; like the rest of the run, its state is touched by the run's thread only."""

    def __init__(self, crew: Crew, nodes: Iterable[str]) -> None:
        self._crew = crew
        self._begun: float | None = None
        self._settled_at: float | None = None
        self._service = ""  # ClusterIP of the run's own Service
        self._token = secrets.token_hex(16)
        run = crew.options.run
        self._all = {manifest.node_hash(n): _One(n, companion_name(run, n)) for n in nodes}

    @property
    def _patience(self) -> float:
        return min(PATIENCE_SECONDS, self._crew.options.deadline * PATIENCE_SHARE)

    def awaited(self, plan: Plan) -> Plan:
        """The plan of an agent that will be told of companions; without any, the plan as it is."""
        if not self._all:
            return plan
        within = self._patience + NEWS_SECONDS
        return dataclasses.replace(
            plan,
            companions_within=within,
            responder_token=self._token,
            convergence=self._crew.options.convergence,
        )

    @property
    def stuck_pods(self) -> list[str]:
        """Names of Pods that their kubelets have neither started nor refused."""
        return [
            one.pod
            for one in self._all.values()
            if one.status is not None and one.status.phase in (Phase.BOUND, Phase.STARTING)
        ]

    def agent_runs(self, agent: NodeRun) -> None:
        """The node's agent has begun; a companion is asked for when it is ready."""
        one = self._all.get(manifest.node_hash(agent.name))
        if one is None:
            return
        one.agent = agent
        if self._begun is None:
            self._begun = time.monotonic()
            if self._crew.options.convergence:
                self._crew.loop.call(self._make_service, self._service_made)
            self._crew.loop.after(min(LOOK_SECONDS, self._patience * 0.8), self._look)
            self._crew.loop.after(self._patience, self._settle)
        self._crew.loop.after(READY_SECONDS, partial(self._never_ready, one))

    def agent_is_ready(self, agent: NodeRun) -> None:
        """The node forwards packets: ask for its companion, once."""
        one = self._all.get(manifest.node_hash(agent.name))
        if one is None or one.asked or one.gone:
            return
        if self._settled_at is not None:
            self._tell(one)  # too late to be waited for by the others
            one.gone = "its agent started later than the others"
            return
        one.asked = time.monotonic()
        self._ask(one)

    def _never_ready(self, one: _One) -> None:
        if not one.asked and one.gone is None:
            one.gone = NEVER_READY
            self._check()

    def agent_is_over(self, agent: NodeRun) -> None:
        """A node whose agent did not start, or has ended, is not waited for."""
        one = self._all.get(manifest.node_hash(agent.name))
        if one is not None:
            one.agent = None
            if not one.asked and one.gone is None:
                one.gone = NEVER_READY if agent.ran else "the node's agent did not run"
            self._check()

    def seen(self, event: Event) -> None:
        """Take the news of a companion's Pod."""
        pod = event.object
        one = self._all.get(fields.text(pod, "metadata", "labels", manifest.NODE))
        if one is None:
            return
        if event.change is Change.DELETED:
            one.status = PodStatus(Phase.FAILED)
            one.gone = one.gone or "the Pod was deleted by somebody else"
        else:
            one.take(pod)
        self._check()

    def fact(self) -> Companions | Missing:
        """What became of all of them; Missing where none were wanted or the API accepted none."""
        if not self._all:
            return Missing(Reason.NOT_ASKED, self._crew.options.no_companions)
        refusals = [one.refused for one in self._all.values() if one.refused]
        if refusals and len(refusals) == len(self._all):
            reason = Reason.DENIED if refusals[0].status == FORBIDDEN else Reason.FAILED
            said = fields.one_line(refusals[0].said)
            return Missing(reason, f"the API refuses the companions in the pod network: {said}")
        settled_at = self._settled_at or time.monotonic()
        items = tuple(one.report(settled_at) for one in self._all.values())
        return Companions(self._crew.options.namespace, items)

    def _ask(self, one: _One) -> None:
        self._crew.loop.call(partial(self._create, one.node), partial(self._asked, one))

    def _create(self, node: str) -> None:
        crew, options = self._crew, self._crew.options
        if crew.owner is None:
            return
        path = sweep.jobs_path if options.runner is Runner.JOB else sweep.pods_path
        body = bodies.companion(options, node, self._token, crew.owner)
        crew.api.create(path(options.namespace), body)

    def _make_service(self) -> str:
        crew, options = self._crew, self._crew.options
        if crew.owner is None:
            return ""
        body = bodies.own_service(options, crew.owner)
        made, _ = crew.api.create(sweep.services_path(options.namespace), body)
        return fields.text(made, "spec", "clusterIP")

    def _service_made(self, result: str | ApiError) -> None:
        """Without it the rest goes on; agents say that there was none."""
        if isinstance(result, str):
            self._service = result

    def _asked(self, one: _One, result: ApiError | None) -> None:
        if isinstance(result, Unreachable):
            if self._settled_at is None:
                self._crew.loop.after(AGAIN_SECONDS, partial(self._ask, one))
        elif isinstance(result, ApiError) and result.status != CONFLICT:
            one.refused = result
            self._check()

    def _look(self) -> None:
        """Ask the events why those that are late do not start."""
        if self._settled_at is not None:
            return
        crew, namespace = self._crew, self._crew.options.namespace
        late = [one for one in self._all.values() if not one.done]
        for one in late[:MOST_LOOKS]:
            crew.loop.call(
                partial(evidence.pod_trouble, crew.api, namespace, one.pod),
                partial(self._looked_at, one),
            )
        crew.loop.after(LOOK_SECONDS, self._look)

    def _looked_at(self, one: _One, found: str | ApiError | None) -> None:
        if isinstance(found, str) and one.came_up is None:
            one.trouble, _, one.said = found.partition(": ")
            self._check()

    def _check(self) -> None:
        if self._begun is not None and all(one.done for one in self._all.values()):
            self._settle()

    def _settle(self) -> None:
        """Tell every agent that runs, once."""
        if self._settled_at is None:
            self._settled_at = time.monotonic()
            for one in self._all.values():
                self._tell(one)

    def _tell(self, one: _One) -> None:
        """Tell one agent the addresses of its own companion and of those of its peers."""
        agent, options = one.agent, self._crew.options
        if agent is None:
            return
        up = {o.node: o.address for o in self._all.values() if o.up and o.address}
        peers = [peer.name for peer in agent.plan.peers]
        news = CompanionNews(
            own=up.get(one.node, ""),
            peers=tuple(CompanionTarget(n, up[n]) for n in peers if n in up),
            service=self._service,
        )
        path = f"{sweep.pods_path(options.namespace)}/{agent.pod}"
        note = {agent_spec.NEWS: news_text(news)}
        self._crew.loop.call(partial(self._crew.api.annotate, path, note), _told)


def _told(_result: ApiError | None) -> None:
    """An agent that could not be told goes on without, and says so."""
