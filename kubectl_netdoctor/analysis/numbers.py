"""Numbers in evidence, before and after: what moved by more than two measurements differ anyway."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubectl_netdoctor.checks.base import Evidence

# A number that stands alone, with its unit or not: no part of an address, a name or a version.
NUMBER = re.compile(r"(?<![\w.:-])\d+(?:\.\d+)?(?=(?:ms|us|s|%|B|KiB|MiB)?(?![\w.:]*\w))")
FACTOR = 2.0  # loss and latency of the same fault differ by less from one scan to the next
SHOWN = 4


def moved(before: Iterable[Evidence], after: Iterable[Evidence]) -> Iterator[str]:
    """Sentences of both whose words are equal and of whose numbers one at least doubled or halved."""
    old: dict[tuple[str | None, str], list[Evidence]] = {}
    for item in before:
        old.setdefault((item.node, words(item.text)), []).append(item)
    said = 0
    for item in after:
        twins = old.get((item.node, words(item.text)))
        if not twins:
            continue
        twin = twins.pop(0)
        if said < SHOWN and any(map(far, numbers(twin.text), numbers(item.text))):
            said += 1
            where = f"{item.node}: " if item.node else ""
            yield f"{where}{twin.text}, now: {item.text}"


def words(text: str) -> str:
    """A sentence without its numbers."""
    return NUMBER.sub("#", text)


def numbers(text: str) -> list[float]:
    """The numbers of a sentence."""
    return [float(n) for n in NUMBER.findall(text)]


def far(one: float, other: float) -> bool:
    """Whether two numbers differ by the factor, and by 1 or more."""
    small, large = sorted((one, other))
    return large - small >= 1 and large >= FACTOR * small
