"""Processes, told apart by id and start time, because ids are used again."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.errors import LabError

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
_STATE, _STARTED = 0, 19  # fields of /proc/PID/stat after the command's name


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat that follow the name, which may hold anything."""
    return (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()


@dataclass(frozen=True)
class Process:
    """One process of this machine, past or present."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        """Return the process that has this id now; one that is gone already is never alive."""
        try:
            started = int(_stat(pid)[_STARTED])
        except OSError:
            started = -1
        return cls(pid, started, _BOOT_ID.read_text().strip())

    @classmethod
    def read(cls, record: Path) -> "Process | None":
        """Return the process that a record names; None without one."""
        try:
            return cls(**json.loads(record.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, record: Path) -> None:
        """Write down which process this is."""
        record.write_text(json.dumps(asdict(self)))

    def alive(self) -> bool:
        """Tell whether it still runs: the same process, not a later one with its id."""
        try:
            stat = _stat(self.pid)
        except OSError:
            return False
        same = self.boot == _BOOT_ID.read_text().strip() and self.started == int(stat[_STARTED])
        return same and stat[_STATE] not in "ZX"

    def kill(self, seconds: float = 10) -> None:
        """End it at once, the way a power cut does."""
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
        wait_for(f"process {self.pid} to end", lambda: not self.alive(), seconds, every=0.02)


def wait_for(what: str, happened: Callable[[], bool], seconds: float, every: float = 0.1) -> None:
    """Wait until something has happened; too late is a LabError."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            message = f"waited {seconds:g} s for {what}"
            raise LabError(message)
        time.sleep(every)


def inhabitants(netns: Iterable[Path], cgroup: str) -> list[int]:
    """
    Return the ids of all processes in these network namespaces or in the named cgroup.

    This one and those that wait for it are left out: a person may call from inside the lab.
    """
    wanted = {_identity(path) for path in netns} - {None}
    mark = f"/{cgroup}/".encode()
    spared = _own_line()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) in spared:
            continue
        try:
            inside = _identity(entry / "ns/net") in wanted
            inside = inside or mark in (entry / "cgroup").read_bytes().replace(b"\n", b"/\n")
            if inside and _stat(int(entry.name))[_STATE] not in "ZX":
                found.append(int(entry.name))
        except OSError:  # it ended while it was looked at
            continue
    return found


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells one namespace file from another; None when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _own_line() -> set[int]:
    """Return this process and its ancestors."""
    line, pid = set(), os.getpid()
    while pid > 0:
        line.add(pid)
        pid = int(_stat(pid)[1])
    return line
