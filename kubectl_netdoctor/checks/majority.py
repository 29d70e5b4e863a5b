"""What most nodes have, where there is such a thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

LEAST = 3  # nodes that make a majority


def usual(values: Collection[str]) -> str | None:
    """The value of at least two thirds of at least three; None where there is none."""
    if len(values) < LEAST:
        return None
    value, count = Counter(values).most_common(1)[0]
    return value if count * 3 >= len(values) * 2 else None
