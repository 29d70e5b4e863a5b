"""Whether a node was short of CPU inside the window: what ran there may have waited for its turn."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.checks.base import PerNode
from kubectl_netdoctor.facts.system import CpuTime, CpuTimes, Pressure

WAITING = 0.5  # share of the window in which some task waited for a CPU
SPARE = 0.2  # idle share from which a wait is a limit of one cgroup, and no lack of CPUs
FULL = 0.05  # idle share of a node without spare time, where the kernel tells no pressure
STOLEN = 0.1  # share that the hypervisor took


@dataclass(frozen=True, slots=True)
class Cpus:
    """The CPUs of all scanned nodes.

    A short node proves nothing by itself: the agent's own seconds can fill a small one. It is a
    reason to doubt what came late, unless something else on that node was in time.
    """

    pressure: PerNode[Pressure] | None
    times: PerNode[CpuTimes] | None

    def known(self, node: str) -> bool:
        """Whether anything is known of this node's CPUs."""
        return self._waiting(node) is not None or bool(self._times(node))

    def shortage(self, node: str) -> str | None:
        """The numbers of a node that was short of CPU; None for one that was not, or not known."""
        waiting, cpus = self._waiting(node), self._times(node)
        total = sum(c.total for c in cpus)
        idle = sum(c.idle + c.iowait for c in cpus) / total if total else None
        steal = sum(c.steal for c in cpus) / total if total else 0.0
        lacking = idle is not None if waiting is None else waiting >= WAITING
        spare = idle is not None and idle > (FULL if waiting is None else SPARE)
        if steal < STOLEN and (spare or not lacking):
            return None
        parts = (
            "" if waiting is None else f"tasks waited for a CPU in {waiting:.0%} of the window",
            "" if idle is None else f"CPUs were idle for {idle:.0%}",
            "" if steal < STOLEN else f"the hypervisor took {steal:.0%}",
        )
        return ", ".join(filter(None, parts))

    def _waiting(self, node: str) -> float | None:
        fact = self.pressure.get(node) if self.pressure else None
        line = fact.lines.get("cpu.some") if fact else None
        if fact is None or line is None or fact.window_seconds <= 0:
            return None
        return min(1.0, line.stalled_us / 1e6 / fact.window_seconds)

    def _times(self, node: str) -> tuple[CpuTime, ...]:
        fact = self.times.get(node) if self.times else None
        return fact.cpus if fact else ()
