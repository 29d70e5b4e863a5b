"""Ending at once on SIGTERM and SIGINT, whatever the threads do."""

from __future__ import annotations

import os
import signal
from types import FrameType

CHILDREN: set[int] = set()
"""Process ids of commands that run now; they must not outlive the agent on somebody's laptop."""


def end_at_once_on_signals() -> None:
    """Install the handlers. Exit status 128 + signal, as a shell reports it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)


def kill_children() -> None:
    """Kill every command that still runs."""
    for pid in tuple(CHILDREN):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue  # it has ended by itself


def _end(number: int, _frame: FrameType | None) -> None:
    kill_children()
    os._exit(128 + number)
