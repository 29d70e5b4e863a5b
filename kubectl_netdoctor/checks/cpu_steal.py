"""NODE-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import Confidence, Evidence, Finding, Fix, Severity, check
from kubectl_netdoctor.facts.system import CpuTimes, Kernel, Pressure

ADVICE = 0.005  # the article's mark
FAULT = 0.10  # alerting practice
LONG = 30.0  # seconds; a shorter window is a glimpse, not a state


@check("NODE-01", Severity.MEDIUM, since="0.1")
def cpu_steal(cpu: CpuTimes, kernel: Kernel | None, pressure: Pressure | None) -> Iterator[Finding]:
    """The hypervisor takes CPU time away.

    Meaning: virtual CPUs were ready to run and the host ran somebody else: steal time.
    Impact: jitter in everything, late softirqs, packets dropped in bursts.
    Diagnosis: steal as a share of all CPU time inside the window. From 10 % over 30 s it is a fault;
      a short window gives a hint only. From 0.5 % it is worth a look on a VPS.
    Mitigation: ask the provider for a host that is not oversold, or take dedicated CPUs.
    Source: proc(5); the 10 % are common alerting practice, the 0.5 % a 2023 article's.
    """
    total = sum(c.total for c in cpu.cpus)
    steal = sum(c.steal for c in cpu.cpus)
    if total <= 0 or steal / total < ADVICE:
        return
    share = steal / total
    long = cpu.window_seconds >= LONG
    fault = Severity.MEDIUM if long else Severity.LOW
    severity = fault if share >= FAULT else Severity.INFO
    if severity is Severity.INFO and not long:
        return  # a tick or two of a short window are noise
    worst = max(cpu.cpus, key=lambda c: c.steal / c.total if c.total else 0.0)
    seen = [
        Evidence(
            f"steal {share:.1%} of CPU time over {cpu.window_seconds:.1f} s on {len(cpu.cpus)} CPUs"
        ),
        Evidence(f"worst: CPU {worst.cpu} with {worst.steal / worst.total:.1%}"),
    ]
    line = pressure.lines.get("cpu.some") if pressure else None
    if line:
        seen.append(Evidence(f"tasks waited for a CPU {line.avg10:.1f} % of the last 10 s (PSI)"))
    host = f" ({kernel.hypervisor})" if kernel and kernel.hypervisor else ""
    yield Finding(
        title=f"The hypervisor takes CPU time away: the host{host} is oversold",
        severity=severity,
        confidence=Confidence.LIKELY if long else Confidence.POSSIBLE,
        evidence=tuple(seen),
        fix=Fix(
            "Measure longer (scan --window 60), then send the numbers to the provider: 'the guest "
            f"measures {share:.1%} CPU steal; please move it to a host that is not oversold'.",
            ("vmstat 5 12   # column st", "mpstat -P ALL 5 12"),
            verify="vmstat 5 12",
        ),
    )
