"""How long this process had to wait for a CPU: on a busy node its own deadlines mean little."""

from __future__ import annotations

from pathlib import Path

_TASKS = Path("/proc/self/task")


def waited_for_cpu() -> float:
    """Seconds that the thread which waited longest was runnable and did not run.

    The second field of /proc/PID/task/TID/schedstat, in nanoseconds (kernel documentation,
    scheduler/sched-stats); 0 where the kernel does not say. Threads that have ended are not in it.
    """
    longest = 0
    try:
        for task in _TASKS.iterdir():
            try:
                longest = max(longest, int((task / "schedstat").read_text().split()[1]))
            except (OSError, ValueError, IndexError):
                continue
    except OSError:
        return 0.0
    return longest / 1e9
