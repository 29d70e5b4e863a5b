"""The difference of two readings of a kernel counter, honest about wraps and resets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_BITS = (32, 64)  # the widths of kernel counters
_MOST = 1 << 28
"""No counter moves further than this through its wrap in one window; one that seems to was reset."""


def moved(before: int, after: int) -> int | None:
    """How far a counter moved, None for one that was reset in between."""
    if after >= before:
        return after - before
    for bits in _BITS:
        if before < 1 << bits:
            wrapped = after + (1 << bits) - before
            return wrapped if wrapped < _MOST else None
    return None


def all_moved(
    before: Mapping[str, int], after: Mapping[str, int], what: str, note: Callable[[str], None]
) -> dict[str, int]:
    """Movement of every counter in both readings; those that were reset are noted and left out."""
    out: dict[str, int] = {}
    for name, value in after.items():
        if name not in before:
            continue
        delta = moved(before[name], value)
        if delta is None:
            note(f"{what}: {name} went from {before[name]} to {value}: left out")
        else:
            out[name] = delta
    return out
