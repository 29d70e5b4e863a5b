"""Whether kube-proxy keeps up: its process, its health port, and when it last wrote rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.absence import Absence, NotPresent
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.kube_proxy import KubeProxySync, RuleSync

HEALTH_PORT, METRICS_PORT = 10256, 10249  # kube-proxy's own defaults
_PROCESS = "kube-proxy"
_PREFIX = "kubeproxy_sync_proxy_rules_"
_LINE = re.compile(
    rf"^{_PREFIX}(\w+?)(?:\{{(?:[^}}]*ip_family=\"(\w+)\")?[^}}]*\}})? ([0-9.eE+-]+)$", re.MULTILINE
)
_TIMES = {"last_queued_timestamp_seconds": "queued", "last_timestamp_seconds": "synced"}
_PENDING = {"endpoint_changes_pending": "endpoint", "service_changes_pending": "service"}


@dataclass(frozen=True, slots=True)
class Sample:
    """The process and its health port at one moment; `healthy` None: nothing listens there."""

    state: str
    healthy: bool | None


def read(run: Run) -> Sample:
    """Ask the health port, which is cheap for kube-proxy. Raises NotPresent without kube-proxy."""
    answer = run.host.http_text(HEALTH_PORT, "/healthz")
    state = _state(run.host)  # afterwards: what has a question and gets no CPU is runnable
    if answer is None and not state:
        raise NotPresent("no kube-proxy process, and nothing listens on port 10256")
    return Sample(state, None if answer is None else bool(answer))


def _state(host: Host) -> str:
    """The process's state, empty where none is seen."""
    try:
        pids = [p.pid for p in processes.known(host) if p.name == _PROCESS]
        stat = host.kernel(host.proc / str(pids[0]) / "stat") if pids else ""
    except Absence:
        return ""
    return stat.rpartition(")")[2].split()[0] if ")" in stat else ""


@windowed("kube_proxy_sync", read)
def kube_proxy_sync(before: Sample, after: Sample, window: Window) -> KubeProxySync:
    """Both samples, and the metrics where kube-proxy answers at all."""
    samples = [s for s in (before, after) if s.healthy is not None]
    # What hangs at its health port is not asked a third time: that would only cost its time-out.
    hangs = bool(samples) and not any(s.healthy for s in samples)
    metrics = None if hangs else window.run.host.http_text(METRICS_PORT, "/metrics")
    families, pending = parse(metrics or "")
    return KubeProxySync(
        window_seconds=window.seconds,
        state=tuple(s.state for s in (before, after) if s.state),
        asked=len(samples) + (metrics is not None),
        answered=sum(bool(s.healthy) for s in samples) + bool(metrics),
        listens=bool(samples) or metrics is not None,
        clock=round(window.run.host.clock(), 3),
        families=families,
        pending=pending,
    )


def parse(metrics: str) -> tuple[tuple[RuleSync, ...], dict[str, int]]:
    """Times by family, and pending changes, from the Prometheus text format; 0 is never."""
    times: dict[str, dict[str, float]] = {}
    pending: dict[str, int] = {}
    for name, family, text in _LINE.findall(metrics):
        try:
            value = float(text)
        except ValueError:
            continue
        if name in _TIMES:
            if value > 0:
                times.setdefault(family, {})[_TIMES[name]] = value
        elif name in _PENDING:
            kind = _PENDING[name]
            pending[kind] = pending.get(kind, 0) + int(value)
    families = tuple(
        RuleSync(family, found.get("queued"), found.get("synced"))
        for family, found in sorted(times.items())
    )
    return families, pending
