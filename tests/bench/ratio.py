"""Two actions measured in turn, as a ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(
    name: str, runs: int, ours: Callable[[int], object], theirs: Callable[[int], object]
) -> None:
    """Measure pairs and print the ratio's minimum, median and maximum."""
    pairs = []
    for number in range(runs + 1):
        pair = (seconds(lambda n=number: theirs(n)), seconds(lambda n=number: ours(n)))  # type: ignore[misc]
        if number:
            pairs.append(pair)
    ratios = sorted(b / a for a, b in pairs)
    base, own = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    print(
        f"{name:18} ratio {ratios[0]:.2f} .. {statistics.median(ratios):.2f} .. {ratios[-1]:.2f}"
        f"   ({own:.3f} s to {base:.3f} s, medians of {runs})",
        flush=True,
    )
