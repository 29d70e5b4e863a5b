"""The connection tracking table: size, limit and what its counters did."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.agent.absence import NotPresent, Unreadable
from kubectl_netdoctor.agent.counters import all_moved
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.netfilter import Conntrack

_NOT_ADDITIVE = "entries"  # every CPU's line shows the whole table's number


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading."""

    entries: int
    limit: int
    buckets: int | None
    counters: dict[str, int]


def read(run: Run) -> Sample:
    """Kernel doc networking/nf_conntrack-sysctl. Raises NotPresent without connection tracking."""
    host = run.host
    knobs = host.proc / "sys/net/netfilter"
    try:
        entries = host.number(knobs / "nf_conntrack_count")
        limit = host.number(knobs / "nf_conntrack_max")
        columns = host.kernel(host.proc / "net/stat/nf_conntrack")
    except NotPresent as absence:
        raise NotPresent("nf_conntrack is not loaded") from absence
    try:
        buckets = host.number(knobs / "nf_conntrack_buckets")
    except NotPresent:
        buckets = None
    return Sample(entries, limit, buckets, sum_columns(columns))


def sum_columns(text: str) -> dict[str, int]:
    """Sums over the CPUs of /proc/net/stat/nf_conntrack: a line of names, then hexadecimal ones.

    Raises Unreadable.
    """
    header, *lines = text.splitlines() or [""]
    names = header.split()
    sums = dict.fromkeys(names, 0)
    for line in lines:
        values = line.split()
        if len(values) != len(names):
            raise Unreadable("/proc/net/stat/nf_conntrack: a line has not as many fields as names")
        for name, value in zip(names, values, strict=True):
            try:
                sums[name] += int(value, 16)
            except ValueError:
                raise Unreadable(
                    f"/proc/net/stat/nf_conntrack: {value!r:.40} is no number"
                ) from None
    sums.pop(_NOT_ADDITIVE, None)
    return sums


@windowed("conntrack", read)
def conntrack(before: Sample, after: Sample, window: Window) -> Conntrack:
    """Size at the window's end, and the counters inside it."""
    return Conntrack(
        window_seconds=window.seconds,
        entries=after.entries,
        limit=after.limit,
        buckets=after.buckets,
        deltas=all_moved(before.counters, after.counters, "conntrack", window.note),
    )
