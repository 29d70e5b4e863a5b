"""Distributions of times as small inline drawings on one log axis, with the numbers as text."""

from __future__ import annotations

from collections.abc import Sequence

from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.html.markup import Markup, tag

WIDTH, HEIGHT, BINS = 240, 32, 48
TICKS = {0.1: "0.1 ms", 1.0: "1", 10.0: "10", 100.0: "100 ms", 1000.0: "1 s"}


def distribution(times: Sequence[float]) -> Markup:
    """Ordered times as bars; the line is the median."""
    if not times:
        return tag("span", "no answer", class_="soft")
    counts = numbers.histogram(times, BINS)
    most, step = max(counts), WIDTH / BINS
    bars = [
        tag(
            "rect",
            x=f"{index * step + 0.5:.1f}",
            y=f"{HEIGHT - tall:.1f}",
            width=f"{step - 1:.1f}",
            height=f"{tall:.1f}",
            class_="bar",
        )
        for index, count in enumerate(counts)
        if count and (tall := 4 + (HEIGHT - 4) * count / most)
    ]
    middle = numbers.position(numbers.median(times)) * WIDTH
    lines = [_line(numbers.position(t) * WIDTH, "grid") for t in TICKS]
    return tag(
        "svg",
        [*lines, *bars, _line(middle, "median")],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        aria_label=spoken(times),
        class_="chart",
    )


def axis() -> Markup:
    """The scale that all drawings of a table share, for its head."""
    labels = [
        tag(
            "text",
            label,
            x=f"{numbers.position(t) * WIDTH:.1f}",
            y=12,
            text_anchor="middle",
        )
        for t, label in TICKS.items()
    ]
    return tag(
        "svg",
        labels,
        viewBox=f"0 0 {WIDTH} 16",
        width=WIDTH,
        height=16,
        aria_hidden="true",
        class_="axis",
    )


def spoken(times: Sequence[float]) -> str:
    """A drawing in words."""
    return (
        f"{len(times)} answers, half within {numbers.ms(numbers.median(times))}, "
        f"95 % within {numbers.ms(numbers.share(times, 0.95))}, "
        f"the slowest {numbers.ms(times[-1])}"
    )


def _line(x: float, class_: str) -> Markup:
    return tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=HEIGHT, class_=class_)
