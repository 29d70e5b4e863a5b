"""Soft interrupts of each kind and CPU."""

from __future__ import annotations

from kubectl_netdoctor.agent.absence import Unreadable
from kubectl_netdoctor.agent.counters import moved
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.system import Softirqs

Counts = dict[str, tuple[int, ...]]


def read(run: Run) -> Counts:
    """proc(5), /proc/softirqs."""
    return parse(run.host.kernel(run.host.proc / "softirqs"))


def parse(text: str) -> Counts:
    """Counts by kind, one per CPU. Raises Unreadable."""
    counts: Counts = {}
    for line in text.splitlines()[1:]:
        kind, _, numbers = line.partition(":")
        try:
            counts[kind.strip()] = tuple(int(number) for number in numbers.split())
        except ValueError:
            raise Unreadable(f"/proc/softirqs: {line!r:.60}") from None
    return counts


@windowed("softirqs", read)
def softirqs(before: Counts, after: Counts, window: Window) -> Softirqs:
    """Counts inside the window; a kind with a counter that was reset is left out."""
    deltas: dict[str, tuple[int, ...]] = {}
    for kind, row in after.items():
        earlier = before.get(kind, ())
        steps = [moved(then, now) for then, now in zip(earlier, row, strict=False)]
        known = tuple(step for step in steps if step is not None)
        if len(known) == len(row):
            deltas[kind] = known
        else:
            window.note(f"softirqs: {kind} was reset or has other CPUs now: left out")
    return Softirqs(window.seconds, deltas)
