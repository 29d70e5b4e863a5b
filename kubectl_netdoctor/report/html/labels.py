"""Names of nodes where there is little room: what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile

LONG = 12  # characters; where all names are shorter, they are left alone
CUT = "…"


def labels(names: Sequence[str]) -> Mapping[str, str]:
    """Each name without the words, parted by dots and hyphens, that all begin or end with."""
    if len(names) < 2 or max(map(len, names)) <= LONG:
        return {name: name for name in names}
    words = [re.split("([.-])", name) for name in names]
    spare = min(map(len, words)) - 1  # something has to be left of every name
    first = min(_shared(words), spare)
    last = min(_shared([w[::-1] for w in words]), spare - first)
    mark = CUT if first else ""
    return {
        name: mark + "".join(parts[first : len(parts) - last])
        for name, parts in zip(names, words, strict=True)
    }


def _shared(rows: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    columns = zip(*rows, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
