"""Nodes that lack the ready pod which a DaemonSet owes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes, PodInfo, WorkloadInfo

YOUNG = timedelta(seconds=60)  # a pod that was just made is not a fault yet
JOINING = timedelta(minutes=5)  # nor is a node that just joined


@dataclass(frozen=True, slots=True)
class Lack:
    """One node, and the pods of the DaemonSet that it has instead of a ready one."""

    machine: NodeInfo
    pods: Sequence[PodInfo]

    def evidence(self, what: str) -> Iterator[Evidence]:
        """What the API says of them."""
        for pod in self.pods:
            waiting = f" ({', '.join(pod.waiting)})" if pod.waiting else ""
            yield Evidence(
                f"pod {pod.name} is {pod.phase}, not ready{waiting}, {pod.restarts} restarts"
            )
        if not self.pods:
            yield Evidence(f"no {what} pod on {self.machine.name}")


def lacks(
    daemon: WorkloadInfo,
    by_node: Mapping[str, Sequence[PodInfo]],
    nodes: Nodes,
    now: datetime | None,
) -> Iterator[Lack]:
    """Nodes without a ready pod, roll-outs, young pods and joining nodes aside."""
    if rolling_out(daemon):
        return
    made = sum(len(pods) for pods in by_node.values())
    for machine in nodes.items:
        own = by_node.get(machine.name, ())
        # A node without a pod while the DaemonSet has all that it wants is left out on purpose or by
        # mistake; waiting does not change that.
        settled = not own and daemon.desired <= made
        if not _judged(machine, None if settled else now):
            continue
        if any(p.ready and not p.deleting for p in own) or any(_young(p, now) for p in own):
            continue
        yield Lack(machine, own)


def rolling_out(daemon: WorkloadInfo) -> bool:
    """Whether the DaemonSet's pods are being replaced."""
    return daemon.updated < daemon.desired or daemon.observed_generation < daemon.generation


def _judged(machine: NodeInfo, now: datetime | None) -> bool:
    """Nodes where a pod is due: Linux, alive, and not just joined."""
    if machine.labels.get("kubernetes.io/os", "linux") != "linux" or not machine.ready:
        return False
    if machine.labels.get("type") in ("virtual-kubelet", "kwok"):
        return False
    created, ready = time(machine.created), machine.condition("Ready")
    back = time(ready.since) if ready else None
    if now is None:
        return True
    joining = created is not None and now - created < JOINING and not machine.pod_cidrs
    return not joining and not (back is not None and now - back < YOUNG)


def _young(pod: PodInfo, now: datetime | None) -> bool:
    created = time(pod.created)
    return bool(now and created and now - created < YOUNG and not pod.deleting)


def time(text: str) -> datetime | None:
    """A time of the API, None where it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
