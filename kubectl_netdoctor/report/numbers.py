"""Measured values as people read them: medians, milliseconds, small histograms on a log axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

BARS = "▁▂▃▄▅▆▇█"
FLOOR = 0.01  # ms; what is faster is shown as this
CEILING = 10_000.0


def finite(values: Iterable[float]) -> list[float]:
    """Values that can be ordered and drawn: a node may have sent anything."""
    return sorted(v for v in values if math.isfinite(v) and v >= 0)


def share(values: Sequence[float], part: float) -> float:
    """The value that `part` of the ordered values do not exceed."""
    return values[min(len(values) - 1, max(0, math.ceil(part * len(values)) - 1))]


def median(values: Sequence[float]) -> float:
    """The middle of ordered values."""
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def ms(value: float) -> str:
    """Milliseconds with as many digits as mean something."""
    if value >= 10_000:
        return f"{value / 1000:.3g} s"
    if value >= 99.5:
        return f"{value:.0f} ms"
    return f"{value:.3f} ms" if value < 0.1 else f"{value:.2g} ms"


def percent(part: float, whole: float) -> str:
    """A share that says neither 0 nor 100 unless it is."""
    value = 100 * part / whole if whole else 0.0
    if 0 < value < 1:
        return "<1"
    return ">99" if 99 < value < 100 else f"{value:.0f}"


def position(value: float) -> float:
    """Place of a time on the common log axis, 0 to 1."""
    bounded = min(max(value, FLOOR), CEILING)
    return math.log(bounded / FLOOR) / math.log(CEILING / FLOOR)


def histogram(values: Iterable[float], bins: int) -> list[int]:
    """How many fall into each of equal parts of the log axis."""
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(position(value) * bins))] += 1
    return counts


def sparkline(values: Iterable[float], width: int = 12) -> str:
    """The same as one line of block characters; a blank where nothing is."""
    counts = histogram(finite(values), width)
    most = max(counts, default=0)
    return "".join(" " if not c else BARS[math.ceil(c / most * len(BARS)) - 1] for c in counts)
