"""Which network namespaces the processes of a node are in, and who started them there."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.host import Host

_PARENT, _START = 1, 19  # fields of proc(5)'s stat, counted from the one after the name


@dataclass(frozen=True, slots=True)
class Found:
    """One namespace: its processes, the oldest first, which is the sandbox and stays.

    `age_seconds`: of the youngest that was started from outside.
    """

    inode: int
    pids: tuple[int, ...]
    age_seconds: float

    @property
    def pid(self) -> int:
        """The process that stands for the namespace."""
        return self.pids[0]


def others(host: Host) -> list[Found]:
    """Every namespace but this process's own. Raises NotPresent where processes are hidden."""
    processes.visible(host)
    where = _by_process(host)
    own = _inode(host, "self")
    members: dict[int, list[int]] = defaultdict(list)
    for pid, inode in where.items():
        if inode != own:
            members[inode].append(pid)
    now = _uptime(host)
    return [_found(host, inode, pids, where, now) for inode, pids in sorted(members.items())]


def _by_process(host: Host) -> dict[int, int]:
    """The namespace of every process that can be looked at."""
    pids = (entry for entry in host.names(host.proc) if entry.isdecimal())
    found = ((int(pid), _inode(host, pid)) for pid in pids)
    return {pid: inode for pid, inode in found if inode is not None}


def _inode(host: Host, pid: str) -> int | None:
    try:
        return os.stat(f"{host.proc}/{pid}/ns/net").st_ino  # noqa: PTH116 - one for each process
    except OSError:
        return None  # it has ended, or is not ours to look at


def _found(host: Host, inode: int, pids: list[int], where: dict[int, int], now: float) -> Found:
    started: dict[int, float] = {}
    youngest: float | None = None
    for pid in pids:
        parent, start = _birth(host, pid)
        started[pid] = start
        if where.get(parent) != inode:
            youngest = start if youngest is None else max(youngest, start)
    ordered = tuple(sorted(pids, key=lambda pid: (started[pid], pid)))
    return Found(inode, ordered, round(max(0.0, now - (youngest or 0.0)), 1))


def _birth(host: Host, pid: int) -> tuple[int, float]:
    """Parent and start, in seconds since the boot; a process that has ended is as young as can be."""
    try:
        fields = host.kernel(host.proc / str(pid) / "stat").rpartition(")")[2].split()
        return int(fields[_PARENT]), int(fields[_START]) / os.sysconf("SC_CLK_TCK")
    except (Absence, IndexError, ValueError):
        return 0, _uptime(host)


def _uptime(host: Host) -> float:
    try:
        return float(host.kernel(host.proc / "uptime").split()[0])
    except (Absence, IndexError, ValueError):
        return 0.0
