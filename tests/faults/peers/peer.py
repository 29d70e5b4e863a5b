"""What a peer is: another tool, how it is run against a lab, and how its output is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab import Lab
from tests.lab.commands import search_path

DEADLINE = 120.0  # seconds that a peer may take for one look


class Failed(Exception):
    """The tool ran and gave no result; the text says what it said last."""


def nothing_else(_program: Path) -> str:
    """A peer that needs its program and no more."""
    return ""


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool.

    `ask`: run it as its README says and return what it prints, or raise Failed. `read`: the
    complaints in that text, a line each, without those that say that something is well. `lacks`:
    what is missing beside the program, in words.
    """

    name: str
    program: str
    ask: Callable[[Lab, Path], str]
    read: Callable[[str], list[str]]
    lacks: Callable[[Path], str] = nothing_else

    def find(self, built: Path) -> Path | None:
        """Its program on PATH, or among those that `build` made."""
        found = shutil.which(self.program, path=f"{search_path()}:{built}")
        return Path(found) if found else None


def last_line(text: str) -> str:
    """The last line that says something, for a sentence about a failure."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"
