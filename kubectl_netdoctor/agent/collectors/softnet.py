"""Backlog of each CPU: packets processed, dropped, and polls that ran out of budget."""

from __future__ import annotations

from kubectl_netdoctor.agent.absence import Unreadable
from kubectl_netdoctor.agent.counters import all_moved
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.system import Softnet, SoftnetCpu

_CPU_COLUMN = 12  # since Linux 5.10; before, the line's number is the online CPU's
_NAMES = ("processed", "dropped", "squeezed")

Sample = dict[int, dict[str, int]]


def read(run: Run) -> Sample:
    """/proc/net/softnet_stat, kernel net/core/net-procfs.c."""
    return parse(run.host.kernel(run.host.proc / "net/softnet_stat"))


def parse(text: str) -> Sample:
    """Counters by CPU. Raises Unreadable."""
    rows: Sample = {}
    for index, line in enumerate(text.splitlines()):
        try:
            values = [int(value, 16) for value in line.split()]
        except ValueError:
            raise Unreadable(f"/proc/net/softnet_stat: {line!r:.60}") from None
        if len(values) < len(_NAMES):
            raise Unreadable(f"/proc/net/softnet_stat: {len(values)} columns")
        cpu = values[_CPU_COLUMN] if len(values) > _CPU_COLUMN else index
        rows[cpu] = dict(zip(_NAMES, values, strict=False))
    return rows


@windowed("softnet", read)
def softnet(before: Sample, after: Sample, window: Window) -> Softnet:
    """Counters inside the window; a CPU with a counter that was reset is left out."""
    cpus = []
    for cpu, row in sorted(after.items()):
        deltas = all_moved(before.get(cpu, {}), row, f"softnet cpu{cpu}", window.note)
        if len(deltas) == len(_NAMES):
            cpus.append(SoftnetCpu(cpu, **deltas))
    return Softnet(window.seconds, tuple(cpus))
