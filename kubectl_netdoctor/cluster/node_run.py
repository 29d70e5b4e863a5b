"""One node of a run: its object, its Pod, its report. Every step is taken by the run's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubectl_netdoctor.cluster import answer, bodies, evidence, fields, manifest, pod_status, sweep
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import CONFLICT, ApiError, Unreachable
from kubectl_netdoctor.cluster.loop import Loop
from kubectl_netdoctor.cluster.order import Runner, RunOptions
from kubectl_netdoctor.cluster.pod_status import Phase, PodStatus
from kubectl_netdoctor.facts import plan as plans
from kubectl_netdoctor.facts.plan import Plan
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus

NO_POD_SECONDS = 3.0  # a Job without a Pod is looked into
NO_CONTROLLER_SECONDS = 8.0  # then nobody seems to work on Jobs
NO_KUBELET_SECONDS = 15.0  # a Pod that its kubelet has not taken up
LOOK_SECONDS = 5.0  # then its Lease is looked at
STALE_LEASE_SECONDS = 40.0  # four renewals missed, or a clock that is far off
AGAIN_SECONDS = 1.0  # after a request that the API server did not answer
SLOW_START_SECONDS = 10.0  # a container that does not start: events are looked at
STUCK_SECONDS = 5.0  # after which a node whose agent does not run is named
SLOW_LOGS = 3
HURRIED_LOG_SECONDS = 2.0
LOGS = "logs"
"""The lane of log reads: kubelets that hang must not hold up what else is to do."""

Json = dict[str, Any]


class Crew:
    """What all nodes of a run share."""

    def __init__(
        self,
        api: Api,
        options: RunOptions,
        loop: Loop,
        stop: threading.Event,
        finished: Callable[[NodeRun], None],
    ) -> None:
        self.api = api
        self.options = options
        self.loop = loop
        self.stop = stop
        self.finished = finished
        self.owner: manifest.Owner | None = None
        self.pods = False  # bare Pods instead of Jobs
        self.controller_seen = False  # some Job has got its Pod
        self.slow_logs = 0  # nodes whose log could not be read

    @property
    def log_seconds(self) -> float:
        """How long one log may take: less, once several could not be read, or all would wait."""
        return answer.LOG_SECONDS if self.slow_logs < SLOW_LOGS else HURRIED_LOG_SECONDS

    @property
    def pods_only(self) -> bool:
        """Whether controllers may be down, so that Pods must be deleted one by one."""
        return self.options.runner is Runner.POD or (self.pods and not self.controller_seen)


class NodeRun:
    """One node from its turn to its report."""

    def __init__(self, name: str, plan: Plan, crew: Crew) -> None:
        self.name = name
        self.report: NodeReport | None = None
        self.begun = False
        self.ran = False
        self.ready = False
        self.plan = plan
        self._crew = crew
        self._created_at: float | None = None
        self._bound_at = 0.0
        self._as_pod = False
        self._status: PodStatus | None = None
        self.pod = ""
        self._digest: str | None = None
        self._trouble: str | None = None
        self._ended: answer.Ended | None = None

    @property
    def _object(self) -> str:
        return manifest.agent_name(self._crew.options.run, self.name)

    @property
    def stuck_pod(self) -> str | None:
        """Name of a Pod that its kubelet has neither ended nor refused."""
        over = self._status is None or self._status.phase in (Phase.ENDED, Phase.FAILED)
        return None if over else self.pod

    @property
    def stuck_because(self) -> str | None:
        """Why its agent does not run, once that takes long; None for all others."""
        since = self._created_at
        if self.report or self.ran or since is None or time.monotonic() - since < STUCK_SECONDS:
            return None
        if self._status is None:
            return "it has no Pod yet"
        if self._status.phase is Phase.BOUND:
            return "its kubelet has not taken up the Pod"
        return self._trouble or self._status.reason or "its container has not started"

    def begin(self) -> None:
        """Ask for the node's agent."""
        self.begun = True
        self._as_pod = self._crew.pods
        text = plans.pack(self.plan)
        if len(text) > manifest.MAX_VARIABLE_BYTES:
            self._lost(f"its plan has {len(text)} bytes, more than one variable may hold")
            return
        self._crew.loop.call(lambda: self._create(text), self._created)

    def pod_seen(self, pod: Json) -> None:
        """Act on the Pod's status."""
        if not self._as_pod:
            self._crew.controller_seen = True
        first = self._status is None
        self._status = status = pod_status.read(pod)
        self.pod = fields.text(pod, "metadata", "name")
        self._digest = pod_status.image_digest(pod) or self._digest
        self.ran = self.ran or status.ran
        self.ready = self.ready or status.ready
        if self.report is not None or self._ended is not None:
            return
        if status.phase is Phase.ENDED:
            self._ended = self._as_ended(self.pod, status)
            self._read()
        elif status.phase is Phase.FAILED and self.ran:
            self._finish(NodeStatus.FAILED, status.reason)
        elif status.phase is Phase.FAILED:
            self._lost(status.reason)
        elif first:
            self._bound_at = time.monotonic()
            self._crew.loop.after(LOOK_SECONDS, self._look_at_kubelet)
            self._crew.loop.after(SLOW_START_SECONDS, self._look_at_start)

    def pod_deleted(self, pod: Json) -> None:
        """Its last state may hold the answer; otherwise somebody was faster."""
        if self.report is not None or self._ended is not None:
            return
        last = pod_status.read(pod)
        self._digest = pod_status.image_digest(pod) or self._digest
        if last.message:
            self._ended = self._as_ended(fields.text(pod, "metadata", "name"), last)
            self._answered(answer.from_message(self._ended, "the Pod was deleted by somebody else"))
            return
        status = NodeStatus.FAILED if self.ran else NodeStatus.NOT_REACHED
        self._status = PodStatus(Phase.FAILED)
        self._finish(status, "the Pod was deleted by somebody else before it answered")

    def give_up(self, why: str) -> None:
        """No more time: report what is known."""
        if self.report is not None:
            return
        if self._ended is not None:
            late = f"its log could not be read in time ({why})"
            self._answered(answer.from_message(self._ended, late))
        elif not self.begun:
            self._lost(f"its turn did not come: {why}")
        elif self._created_at is None:
            self._lost(f"the API server did not answer the request for its agent: {why}")
        elif self._status is None:
            self._lost(f"no Pod {'' if self._as_pod else 'of its Job '}was seen: {why}")
        elif self._status.phase is Phase.BOUND:
            self._lost(f"the kubelet has not acted on the Pod: {why}")
        elif self._status.phase is Phase.STARTING:
            doing = self._trouble or self._status.reason or "Pending"
            self._lost(f"the agent's container had not started ({doing}): {why}")
        else:
            self._finish(NodeStatus.FAILED, f"the agent had not ended: {why}")

    def _create(self, text: str) -> None:
        crew, options = self._crew, self._crew.options
        namespace = options.namespace
        if self._as_pod:
            if self._created_at is not None:  # nobody works on its Job
                crew.api.delete(f"{sweep.jobs_path(namespace)}/{self._object}")
            path = sweep.pods_path(namespace)
        else:
            path = sweep.jobs_path(namespace)
        crew.api.create(
            path, bodies.agent(options, self.name, text, crew.owner, as_pod=self._as_pod)
        )

    def _created(self, result: ApiError | None) -> None:
        if self.report is not None:
            return
        if isinstance(result, Unreachable):  # it may be there: names are ours, so 409 tells
            self._crew.loop.after(AGAIN_SECONDS, self.begin)
            return
        if isinstance(result, ApiError) and result.status != CONFLICT:
            kind = "Pod" if self._as_pod else "Job"
            self._lost(f"the API refuses its {kind}: {result.said}")
            return
        self._created_at = time.monotonic()
        if not self._as_pod:
            self._crew.loop.after(NO_POD_SECONDS, self._look_at_job)

    def _look_at_job(self) -> None:
        """A Job that is accepted may still get no Pod; the reason is in an event only."""
        crew = self._crew
        if self.report is None and self._status is None:
            name, namespace = self._object, crew.options.namespace
            crew.loop.call(
                lambda: evidence.job_refusal(crew.api, namespace, name), self._job_looked_at
            )

    def _job_looked_at(self, said: str | ApiError | None) -> None:
        if self.report is not None or self._status is not None:
            return
        if isinstance(said, str):
            self._lost(f"the Job controller cannot make its Pod: {said}")
            return
        waited = time.monotonic() - (self._created_at or 0.0)
        if waited < NO_CONTROLLER_SECONDS or self._crew.controller_seen:
            self._crew.loop.after(NO_POD_SECONDS, self._look_at_job)
        elif self._crew.options.runner is Runner.AUTO:
            self._crew.pods = True
            self.begin()
        else:
            self._lost(
                f"its Job has no Pod after {waited:.0f} s: kube-controller-manager seems to be "
                "down (--runner=pod does without it)"
            )

    def _look_at_kubelet(self) -> None:
        """Ask of a Pod that no kubelet takes up whether its node is alive."""
        crew = self._crew
        if self.report is None and self._status and self._status.phase is Phase.BOUND:
            crew.loop.call(lambda: evidence.lease_age(crew.api, self.name), self._kubelet_looked_at)

    def _kubelet_looked_at(self, found: float | ApiError | None) -> None:
        if self.report is not None or self._status is None or self._status.phase is not Phase.BOUND:
            return
        age = None if isinstance(found, ApiError) else found
        waited = time.monotonic() - self._bound_at
        if waited < NO_KUBELET_SECONDS and (age is None or age < STALE_LEASE_SECONDS):
            self._crew.loop.after(LOOK_SECONDS, self._look_at_kubelet)
            return
        words = "cannot be read" if age is None else f"was renewed {max(0.0, age):.0f} s ago"
        self._lost(f"the kubelet has not acted on the Pod for {waited:.0f} s; its Lease {words}")

    def _look_at_start(self) -> None:
        """A container that does not start: events may say why, for the report at the deadline."""
        crew, pod = self._crew, self.pod
        if self.report is None and self._status and self._status.phase is Phase.STARTING:
            namespace = crew.options.namespace
            crew.loop.call(
                lambda: evidence.pod_trouble(crew.api, namespace, pod), self._start_looked_at
            )

    def _start_looked_at(self, found: str | ApiError | None) -> None:
        if isinstance(found, str):
            self._trouble = found
        self._crew.loop.after(SLOW_START_SECONDS, self._look_at_start)

    def _read(self) -> None:
        crew, ended = self._crew, self._ended
        if self.report is None and ended is not None:
            seconds = crew.log_seconds
            crew.loop.call(
                lambda: answer.read_answer(crew.api, ended, crew.stop, seconds, crew.options.heard),
                self._answered,
                lane=LOGS,
            )

    def _as_ended(self, pod: str, status: PodStatus) -> answer.Ended:
        options = self._crew.options
        return answer.Ended(options.run, self.name, options.namespace, pod, status)

    def _answered(self, report: NodeReport | ApiError) -> None:
        if self.report is not None:
            return
        if isinstance(report, ApiError):  # the API server is away: the log is still there
            self._crew.loop.after(AGAIN_SECONDS, self._read)
            return
        self._crew.slow_logs += report.status is NodeStatus.SUMMARY
        self._report(report)

    def _lost(self, reason: str | None) -> None:
        self._finish(NodeStatus.NOT_REACHED, reason)

    def _finish(self, status: NodeStatus, reason: str | None) -> None:
        self._report(NodeReport(self.name, status, reason, None))

    def _report(self, report: NodeReport) -> None:
        self.report = replace(report, image_digest=self._digest)
        self._crew.finished(self)
