"""SVC-01."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.cluster import Nodes, Pods, Workloads
from kubectl_netdoctor.facts.netfilter import Iptables
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    recorded,
)


def is_proxy_of(pod: Any, node: str) -> bool:
    """Whether a pod is that node's kube-proxy."""
    return bool(pod.labels.get("k8s-app") == "kube-proxy" and pod.node == node)


def dead_process(snapshot: Snapshot) -> Snapshot:
    """n3 without a kube-proxy process and without its health port."""
    return change_node(
        snapshot, "n3", Components,
        lambda c: dataclasses.replace(
            c, processes=tuple(p for p in c.processes if p != "kube-proxy"), kube_proxy_healthz=None
        ),
    )  # fmt: skip


def pods(change: Any, snapshot: Snapshot | None = None) -> Snapshot:
    """n3's kube-proxy pod changed, its process gone."""
    return change_cluster(
        dead_process(snapshot or healthy()), Pods,
        change_items(Pods, lambda p: change(p) if is_proxy_of(p, "n3") else p),
    )  # fmt: skip


def daemon(**numbers: int) -> Any:
    """A change of the kube-proxy DaemonSet's numbers."""
    return change_items(
        Workloads, lambda w: dataclasses.replace(w, **numbers) if w.name == "kube-proxy" else w
    )


def test_the_recorded_fault_fires() -> None:
    """The DaemonSet left n3 out: API and node agree."""
    (found,) = findings("SVC-01", recorded("kube_proxy_gone"))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.CERTAIN
    assert "no kube-proxy pod on n3" in found.evidence[0].text


def test_a_crash_loop_fires_and_leads_to_the_log() -> None:
    """A pod that waits is not running."""
    looping = pods(
        lambda p: dataclasses.replace(
            p,
            ready=False,
            waiting=("CrashLoopBackOff",),
            restarts=9,
            created="2020-01-01T00:00:00Z",
        ),
        old_nodes(),
    )
    (found,) = findings("SVC-01", looping)
    assert "CrashLoopBackOff" in found.evidence[0].text
    assert "logs" in found.fix.commands[0]


def old_nodes() -> Snapshot:
    """The healthy lab, running for years."""

    def aged(n: Any) -> Any:
        since = tuple(dataclasses.replace(c, since="2020-01-01T00:00:00Z") for c in n.conditions)
        return dataclasses.replace(n, created="2020-01-01T00:00:00Z", conditions=since)

    return change_cluster(healthy(), Nodes, change_items(Nodes, aged))


@pytest.mark.parametrize(
    "numbers",
    [{"updated": 1}, {"observed_generation": 0}],
    ids=["rolling", "unseen"],
)
def test_a_rollout_is_silent(numbers: dict[str, int]) -> None:
    """While the DaemonSet changes, a node may be without its pod for a moment."""
    rolling = change_cluster(pods(lambda _: None, old_nodes()), Workloads, daemon(**numbers))
    assert findings("SVC-01", rolling) == []


def test_a_young_pod_is_silent() -> None:
    """It was made a second ago."""
    young = healthy().run.started
    starting = pods(lambda p: dataclasses.replace(p, ready=False, created=young), old_nodes())
    assert findings("SVC-01", starting) == []


@pytest.mark.parametrize(
    "numbers", [{"desired": 0, "updated": 0}, None], ids=["fits no node", "deleted"]
)
def test_rules_that_nobody_keeps_fire(numbers: dict[str, int] | None) -> None:
    """The DaemonSet is gone or selects nothing, its rules are there, and no proxy runs."""
    gone = change_items(Workloads, lambda w: None if w.name == "kube-proxy" else w)
    left = change_cluster(pods(lambda _: None), Workloads, daemon(**numbers) if numbers else gone)
    (found,) = findings("SVC-01", left)
    assert found.nodes == {"n3"}
    assert "Nothing keeps" in found.title


@pytest.mark.parametrize("process", ["cilium-agent", "k3s-server", "kube-router"])
def test_leftover_rules_beside_another_proxy_are_silent(process: str) -> None:
    """After a migration old rules may stay; the new proxy does the work."""
    gone = change_items(Workloads, lambda w: None if w.name == "kube-proxy" else w)
    moved = change_node(
        change_cluster(pods(lambda _: None), Workloads, gone), "n3", Components,
        lambda c: dataclasses.replace(c, processes=(process,)),
    )  # fmt: skip
    assert findings("SVC-01", moved) == []


def test_a_cluster_without_kube_proxy_is_silent() -> None:
    """Cilium, k3s, kube-router: no DaemonSet, no rules, no claim."""
    bare = healthy()
    for name in ("n1", "n2", "n3"):
        bare = change_node(bare, name, Iptables, lambda f: dataclasses.replace(f, nft=f.legacy))
    none = change_cluster(
        change_cluster(pods(lambda _: None, bare), Pods, change_items(Pods, lambda _: None)),
        Workloads, change_items(Workloads, lambda w: None if w.name == "kube-proxy" else w),
    )  # fmt: skip
    assert findings("SVC-01", none) == []


def test_a_process_that_runs_is_believed() -> None:
    """The API is late, the process is there."""
    late = change_cluster(
        old_nodes(), Pods, change_items(Pods, lambda p: None if is_proxy_of(p, "n3") else p)
    )
    assert findings("SVC-01", late) == []


def test_a_node_that_is_down_is_silent() -> None:
    """Nothing runs on a node that is off, and that is said elsewhere."""

    def off(n: Any) -> Any:
        return dataclasses.replace(n, conditions=()) if n.name == "n3" else n

    down = change_cluster(pods(lambda _: None, old_nodes()), Nodes, change_items(Nodes, off))
    assert findings("SVC-01", down) == []
