"""Peers in the benchmark's table: a column each, and a line each in the summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from tests.faults.peers.seen import Seen

FIGURES = (
    "peer",
    "named the fault",
    "named its place",
    "new complaints per fault",
    "per quiet case",
    "on the healthy lab",
    "median seconds",
)


def cell(seen: Seen) -> str:
    """One look of one peer in a few words."""
    if seen.not_run:
        return "not run"
    if seen.failed:
        return "failed"
    count = len(seen.new)
    if not seen.causes:
        return f"{count} new" if count else "silent"
    hits = (("fault", seen.found), ("place", seen.placed))
    words = [
        word if seen.causes == 1 else f"{word} {hit} of {seen.causes}" for word, hit in hits if hit
    ]
    named = " and ".join(words) or "missed"
    return f"{named}, {count} new" if count else named


def columns(looks: Iterable[Sequence[Seen]]) -> list[str]:
    """The names of all peers, in the order in which they come."""
    return list(dict.fromkeys(seen.peer for seens in looks for seen in seens))


def cells(runs: Iterable[Sequence[Seen]], names: Sequence[str]) -> list[str]:
    """The columns of all runs of one scenario, what differs side by side; empty without any."""
    seen_by = {name: [s for seens in runs for s in seens if s.peer == name] for name in names}
    return ["; ".join(dict.fromkeys(cell(seen) for seen in seen_by[name])) for name in names]


def figures(looks: Iterable[Sequence[Seen]]) -> list[tuple[str, ...]]:
    """A line of figures for each peer, under the headers FIGURES."""
    everything = [seen for seens in looks for seen in seens]
    names = columns([everything])
    return [_line(name, [seen for seen in everything if seen.peer == name]) for name in names]


def _line(name: str, seens: list[Seen]) -> tuple[str, ...]:
    ran = [seen for seen in seens if not seen.not_run]
    if not ran:
        return (name, f"not run: {seens[0].not_run}", *[""] * (len(FIGURES) - 2))
    faults = [seen for seen in ran if seen.causes]
    causes = sum(seen.causes for seen in faults)
    return (
        name,
        f"{sum(seen.found for seen in faults)} of {causes}",
        f"{sum(seen.placed for seen in faults)} of {causes}",
        _mean(faults),
        _mean([seen for seen in ran if not seen.causes]),
        str(ran[0].healthy),
        f"{median(seen.seconds for seen in ran):g}",
    )


def _mean(seens: list[Seen]) -> str:
    return f"{sum(len(seen.new) for seen in seens) / len(seens):.1f}" if seens else "not run"
