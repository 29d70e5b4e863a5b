"""What the CPU bandwidth controller did to the DNS servers that run on a node."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact


@dataclass(frozen=True, slots=True)
class DnsCpu:
    """One CoreDNS process and its container's cgroup; kernel doc scheduler/sched-bwc.

    `limit`: CPUs that its quota stands for, None without a quota. The others are deltas inside the
    window; a period (100 ms, as a rule) counts only when something ran in it.
    """

    host_name: str  # in its /etc/hostname, which is the pod's unless it says otherwise
    limit: float | None
    periods: int  # nr_periods
    throttled: int  # nr_throttled
    throttled_ms: float


@fact("dns_cpu")
@dataclass(frozen=True, slots=True)
class DnsCpus:
    """All CoreDNS processes of the node whose cgroup could be read."""

    window_seconds: float
    items: tuple[DnsCpu, ...]
