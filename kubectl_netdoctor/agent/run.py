"""What every collector is handed: the node, the plan, the window, and a place for its notes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.kept import Kept
from kubectl_netdoctor.agent.listening import Listening
from kubectl_netdoctor.agent.probing import Probing
from kubectl_netdoctor.facts.plan import Plan


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the agent."""

    plan: Plan
    host: Host
    started: float = field(default_factory=time.monotonic)  # time.monotonic()
    log: list[str] = field(default_factory=list)
    listening: Listening = field(default_factory=Listening)
    probing: Probing = field(default_factory=Probing)
    slept: dict[str, float] = field(default_factory=dict)  # seconds that a fact waited on purpose
    kept: Kept | None = None  # packets of marked probes, where the plan wants them

    @property
    def window_end(self) -> float:
        """time.monotonic() when active probes should have sent their last packet."""
        return self.started + self.plan.window_seconds

    def note(self, line: str) -> None:
        """Keep a line for the envelope's log, once."""
        if line not in self.log:
            self.log.append(line)


@dataclass(frozen=True, slots=True)
class Window:
    """The time between two samples as it really was, and where dropped counters are noted."""

    seconds: float
    run: Run

    def note(self, line: str) -> None:
        """Keep a line for the envelope's log."""
        self.run.note(line)
