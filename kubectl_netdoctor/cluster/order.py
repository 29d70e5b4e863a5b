"""What a run is asked to do, what it tells on the way, and what it brings back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.snapshot import NodeReport

KEEP_SECONDS = 3600.0  # how long --keep keeps
SLACK_SECONDS = 30.0  # the anchor outlives the run by this
ABOVE_THIS_PODS = 50  # nodes; the Job controller makes three or four Jobs a second


class Runner(StrEnum):
    """How an agent gets onto its node."""

    AUTO = "auto"  # Jobs, above 50 nodes Pods; Pods too when no controller answers the Jobs
    JOB = "job"
    POD = "pod"  # needs no controller


LogReader = Callable[[str, bytes], None]
"""Takes a node and the whole log that held its report, called by the thread that has read it."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run. `deadline` is in seconds, for all nodes together."""

    run: str
    namespace: str
    image: AgentImage
    runner: Runner = Runner.AUTO
    deadline: float = 90.0
    keep: bool = False
    resources: dict[str, Any] | None = None  # set by preflight where a quota wants them
    companions: bool = False  # a second Pod on each node, in the pod network
    convergence: bool = False  # a Service of the run's own, in front of each node's companion
    no_companions: str = "no companions were asked for (--no-companion)"
    heard: LogReader | None = None

    def uses_pods(self, nodes: int) -> bool:
        """Whether agents start as bare Pods."""
        if self.runner is Runner.AUTO:
            return nodes > ABOVE_THIS_PODS
        return self.runner is Runner.POD

    @property
    def lifetime(self) -> float:
        """Seconds until the anchor's deadline removes everything by itself."""
        return self.deadline + SLACK_SECONDS + (KEEP_SECONDS if self.keep else 0.0)

    @property
    def ttl(self) -> int:
        """Seconds that a finished agent Job stays: its log may be read late, the anchor ends it."""
        return math.ceil(self.lifetime)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A node whose agent should run by now, and what is known of the reason."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `finished` is the node that this news is about, if any."""

    total: int
    waiting: int  # not begun
    starting: int  # asked for, no container yet
    running: int  # the agent runs, or its log is being read
    answered: int
    lost: int  # not reached or failed
    finished: NodeReport | None = None
    stuck: tuple[Stuck, ...] = ()  # as of the last second


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a run brought back, one report for each node in the order asked."""

    reports: tuple[NodeReport, ...]
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    companions: Companions | Missing | None = None


Listener = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Tell nobody."""
