"""Pressure stall information of CPU, memory, input/output and interrupts."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.agent.absence import NotPresent, Unreadable
from kubectl_netdoctor.agent.counters import moved
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.system import Pressure, PressureLine

_RESOURCES = ("cpu", "memory", "io", "irq")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a PSI file."""

    avg10: float
    total_us: int


Sample = dict[str, Line]


def read(run: Run) -> Sample:
    """Kernel doc accounting/psi. Raises NotPresent where the kernel keeps none (psi=0)."""
    lines: Sample = {}
    for resource in _RESOURCES:
        try:
            text = run.host.kernel(run.host.proc / "pressure" / resource)
        except NotPresent:
            continue
        lines |= {f"{resource}.{kind}": line for kind, line in parse(text).items()}
    if not lines:
        raise NotPresent("the kernel keeps no pressure stall information")
    return lines


def parse(text: str) -> Sample:
    """Lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. Raises Unreadable."""
    lines: Sample = {}
    for line in text.splitlines():
        kind, *pairs = line.split() or [""]
        values = dict(pair.partition("=")[::2] for pair in pairs)
        try:
            average, total = float(values["avg10"]), int(values["total"])
        except (KeyError, ValueError):
            raise Unreadable(f"pressure: {line!r:.80}") from None
        if not 0.0 <= average <= 100.0:
            raise Unreadable(f"pressure: avg10 of {average} percent")
        lines[kind] = Line(average, total)
    return lines


@windowed("pressure", read)
def pressure(before: Sample, after: Sample, window: Window) -> Pressure:
    """Stall time inside the window, and the kernel's average at its end."""
    lines: dict[str, PressureLine] = {}
    for name, line in after.items():
        stalled = moved(before[name].total_us, line.total_us) if name in before else None
        if stalled is None:
            window.note(f"pressure: {name} was reset: left out")
        else:
            lines[name] = PressureLine(line.avg10, stalled)
    return Pressure(window.seconds, lines)
