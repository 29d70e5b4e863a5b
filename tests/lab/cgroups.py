"""The lab's folders in the cgroup hierarchies."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def thaw(tops: Iterable[Path]) -> None:
    """Thaw everything frozen below: a frozen process does not even die."""
    for top in tops:
        for state in top.rglob("freezer.state"):
            with suppress(OSError):
                state.write_text("THAWED")


def remove(tops: Iterable[Path], seconds: float = 10) -> list[Path]:
    """Remove these folders with all below, trying again while they are busy; return the rest."""
    end = time.monotonic() + seconds
    left = _emptied(tops)
    while left and time.monotonic() < end:
        time.sleep(0.05)
        left = _emptied(left)
    return left


def _emptied(tops: Iterable[Path]) -> list[Path]:
    """Remove what can be removed now; return the folders that are still there."""
    left = []
    for top in tops:
        for folder in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        with suppress(OSError):
            top.rmdir()
        if top.exists():
            left.append(top)
    return left
