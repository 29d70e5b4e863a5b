"""SVC-11: see the check's docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.service_rules_stale import proxy_pod
from kubectl_netdoctor.facts.cluster import ConfigMaps, NodeInfo, Pods
from kubectl_netdoctor.facts.kube_proxy import KubeProxySync, RuleSync

LATE = 15.0  # seconds that a change waits; kube-proxy gathers them for one by default
REQUESTS = 2  # without an answer, a window apart: one alone is a busy moment
_MIN_SYNC = re.compile(r"^\s*\"?minSyncPeriod\"?:\s*[\"']?([0-9hms.]+)", re.MULTILINE)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@check("SVC-11", Severity.HIGH, since="0.1", explains=("CT-04", "SVC-12"))
def service_rules_late(
    sync: KubeProxySync, node: NodeInfo, pods: Pods | None, config_maps: ConfigMaps | None
) -> Iterator[Finding]:
    """Changes of Services and endpoints reach this node late, or not at all.

    Meaning: kube-proxy runs and does not keep up: it hangs, or changes have been waiting for it to
      write rules for longer than it gathers them on purpose.
    Impact: requests from this node go to pods that are gone, and miss new ones, for that long.
    Diagnosis: kube-proxy's own times on this node: when a change was queued and when rules were last
      written (both by one clock), the changes that are pending, and whether its health port answers.
      minSyncPeriod of its configuration is allowed for, and two requests without an answer are
      needed before it is said to hang.
    Mitigation: its log says what holds it: iptables-restore that fails or waits for the xtables
      lock, too little CPU, no way to the API server. With thousands of Services: a newer release.
    Source: Kubernetes documentation, kube-proxy metrics; kubernetes/kubernetes#96018, #110268.
    """
    if "T" in sync.state and set(sync.state) == {"T"}:
        said = "its process is stopped (state T in /proc/PID/stat) at both ends of the window"
        yield _finding("kube-proxy is stopped", [said, _answers(sync)], node, pods, sure=True)
        return
    if sync.listens and not sync.answered and sync.asked >= REQUESTS:
        if "R" in sync.state or not sync.state:
            raise Inconclusive("kube-proxy did not answer in time, and may only lack CPU time")
        yield _finding("kube-proxy hangs", [_answers(sync)], node, pods, sure=False)
        return
    if not sync.families:
        raise Inconclusive("kube-proxy's sync metrics (127.0.0.1:10249) could not be read")
    allowed = LATE + 2 * _min_sync_seconds(config_maps)
    late = [t for family in sync.families if (t := _late(family, sync, allowed))]
    if late:
        pending = ", ".join(f"{n} {kind} changes" for kind, n in sync.pending.items() if n)
        waiting = f"pending: {pending}" if pending else "no count of pending changes"
        title = "kube-proxy does not keep up"
        yield _finding(title, [*late, waiting, _answers(sync)], node, pods, sure=True)


def _late(family: RuleSync, sync: KubeProxySync, allowed: float) -> str | None:
    """What is late, None where all that was queued has been written or has just come."""
    if family.queued is None or (family.synced is not None and family.synced >= family.queued):
        return None
    waited = sync.clock - family.queued
    if waited < allowed:
        return None  # rules may be old and right: kube-proxy writes them when something changes
    name = f"{family.family} rules" if family.family else "rules"
    last = "never" if family.synced is None else f"{sync.clock - family.synced:.0f} s ago"
    return f"{name}: a change has waited for {waited:.0f} s, rules were last written {last}"


def _min_sync_seconds(maps: ConfigMaps | None) -> float:
    """The longest minSyncPeriod of kube-proxy's ConfigMaps: 1 s is its default."""
    found = [1.0]
    for item in maps.items if maps else ():
        if item.name.startswith("kube-proxy"):
            for text in item.data.values():
                found += [_seconds(m[1]) for m in _MIN_SYNC.finditer(text)]
    return max(found)


def _seconds(text: str) -> float:
    """A duration as Go writes it: `1m30s`."""
    return sum(float(n) * _UNITS[u] for n, u in re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text))


def _answers(sync: KubeProxySync) -> str:
    return f"{sync.answered} of {sync.asked} requests to its own ports on this node were answered"


def _finding(
    title: str, seen: list[str], node: NodeInfo, pods: Pods | None, *, sure: bool
) -> Finding:
    pod = proxy_pod(node, pods)
    where = f"kubectl -n {pod.namespace}" if pod else "kubectl -n kube-system"
    name = pod.name if pod else f"$({where} get pods -l k8s-app=kube-proxy -o name | head -1)"
    return Finding(
        title=f"{title}: Service changes do not reach this node",
        confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
        evidence=evidence(*seen),
        scope=f"Services as seen from {node.name}",
        fix=Fix(
            "Read kube-proxy's log, then restart it on this node: it writes all rules anew.",
            (f"{where} logs {name} --tail=100", f"{where} delete pod {name}"),
            verify=f"{where} get pods -o wide --field-selector spec.nodeName={node.name}",
            run_on="kubectl",
        ),
    )
