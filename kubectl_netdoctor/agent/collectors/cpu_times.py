"""What each CPU did inside the window."""

from __future__ import annotations

from kubectl_netdoctor.agent.absence import Unreadable
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.system import CpuTime, CpuTimes

_FIELDS = 8  # user nice system idle iowait irq softirq steal; guest time is part of user time

Ticks = dict[int, tuple[int, ...]]


def read(run: Run) -> Ticks:
    """Ticks (USER_HZ) by CPU, proc(5) /proc/stat."""
    return parse(run.host.kernel(run.host.proc / "stat"))


def parse(text: str) -> Ticks:
    """The `cpuN` lines of /proc/stat. Raises Unreadable."""
    ticks: Ticks = {}
    for line in text.splitlines():
        name, *values = line.split() or [""]
        number = name.removeprefix("cpu")
        if not name.startswith("cpu") or not number.isdecimal():
            continue
        try:
            ticks[int(number)] = tuple(int(v) for v in values[:_FIELDS])
        except ValueError:
            raise Unreadable(f"/proc/stat: {line!r:.60}") from None
        if len(ticks[int(number)]) != _FIELDS:
            raise Unreadable(f"/proc/stat: {name} has {len(values)} fields")
    return ticks


@windowed("cpu_times", read)
def cpu_times(before: Ticks, after: Ticks, window: Window) -> CpuTimes:
    """Ticks inside the window of every CPU that was online at both ends.

    idle and iowait may step back a little (proc(5)): such a step is no time, and is noted.
    """
    cpus = []
    for cpu, ticks in sorted(after.items()):
        if cpu not in before:
            continue
        steps = [now - then for then, now in zip(before[cpu], ticks, strict=True)]
        if min(steps) < 0:
            window.note(f"cpu_times: a counter of cpu{cpu} stepped back by {-min(steps)} ticks")
        cpus.append(CpuTime(cpu, *(max(0, step) for step in steps)))
    return CpuTimes(window.seconds, tuple(cpus))
