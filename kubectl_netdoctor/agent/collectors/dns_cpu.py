"""Throttling of CoreDNS, from cpu.stat of its container's cgroup.

The container's own mount of /sys/fs/cgroup is read, through its process: there its cgroup is the
top, whatever the hierarchy of the node looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.counters import all_moved
from kubectl_netdoctor.agent.host import Host, resolve
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.dns_cpu import DnsCpu, DnsCpus

_SERVER = "coredns"
_CGROUP = "sys/fs/cgroup"
_FOLDERS = ("", "cpu,cpuacct", "cpu")  # the unified hierarchy, then what v1 has been mounted as
_COUNTERS = ("nr_periods", "nr_throttled", "throttled_usec", "throttled_time")


@dataclass(frozen=True, slots=True)
class Reading:
    """One process: its host name, its quota in CPUs, the counters of its cgroup."""

    host_name: str
    limit: float | None
    counters: dict[str, int]


Sample = dict[int, Reading]


def read(run: Run) -> Sample:
    """By process id. Raises NotPresent where the node's processes are hidden."""
    found = {}
    for process in processes.known(run.host):
        reading = _reading(run.host, process.pid) if process.name == _SERVER else None
        if reading is not None:
            found[process.pid] = reading
    return found


@windowed("dns_cpu", read)
def dns_cpu(before: Sample, after: Sample, window: Window) -> DnsCpus:
    """Processes that were there at both ends of the window."""
    items = []
    for pid, now in after.items():
        if pid not in before:
            continue
        deltas = all_moved(before[pid].counters, now.counters, "coredns", window.note)
        if "nr_periods" not in deltas or "nr_throttled" not in deltas:
            continue
        items.append(
            DnsCpu(
                host_name=now.host_name,
                limit=now.limit,
                periods=deltas["nr_periods"],
                throttled=deltas["nr_throttled"],
                throttled_ms=_milliseconds(deltas),
            )
        )
    return DnsCpus(window.seconds, tuple(items))


def _milliseconds(deltas: dict[str, int]) -> float:
    """Microseconds in the unified hierarchy, nanoseconds in v1."""
    if "throttled_usec" in deltas:
        return round(deltas["throttled_usec"] / 1e3, 3)
    return round(deltas.get("throttled_time", 0) / 1e6, 3)


def _reading(host: Host, pid: int) -> Reading | None:
    """None where the process has ended, or its cgroup has no bandwidth counters."""
    root = host.proc / str(pid) / "root"
    for folder in _FOLDERS:
        place = resolve(root, f"{_CGROUP}/{folder}")
        counters = parse(_text(host, place / "cpu.stat"))
        if counters:
            return Reading(
                _text(host, resolve(root, "etc/hostname")), _limit(host, place), counters
            )
    return None


def parse(text: str) -> dict[str, int]:
    """The counters of a cpu.stat that matter here; empty where the group has none of them."""
    pairs = (line.split() for line in text.splitlines())
    return {
        p[0]: int(p[1]) for p in pairs if len(p) == 2 and p[0] in _COUNTERS and p[1].isdecimal()
    }


def _limit(host: Host, place: Path) -> float | None:
    """Quota by period: `max 100000` or two numbers in the unified hierarchy, two files in v1."""
    words = _text(host, place / "cpu.max").split()
    if not words:
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        words = [_text(host, place / name) for name in names]
    if len(words) != 2 or not all(w.isdecimal() for w in words) or not int(words[1]):
        return None  # max, or -1
    return round(int(words[0]) / int(words[1]), 3)


def _text(host: Host, path: Path) -> str:
    try:
        return host.kernel(path).strip()
    except Absence:
        return ""
