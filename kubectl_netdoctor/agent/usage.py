"""What the agent itself cost its node."""

from __future__ import annotations

import resource


def usage() -> str:
    """CPU seconds and peak RSS of this process and of the commands that it ran, getrusage(2)."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    commands = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + commands.ru_utime + commands.ru_stime
    most = max(own.ru_maxrss, commands.ru_maxrss)  # KiB on Linux
    return f"used {seconds:.2f} s of CPU and {most / 1024:.0f} MiB of memory at most"
