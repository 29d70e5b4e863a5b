"""CNI-07."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.cluster import Nodes, Pods, Workloads
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.cilium import on_cilium
from tests.unit.recorded import (
    FOLDER,
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    recorded,
)


def pods(change: Any, snapshot: Snapshot | None = None) -> Snapshot:
    """n3's agent pod changed; None takes it away."""

    def only_n3(pod: Any) -> Any:
        own = pod.node == "n3" and pod.labels.get("k8s-app") == "cilium"
        return change(pod) if own else pod

    return change_cluster(snapshot or dead(), Pods, change_items(Pods, only_n3))


def dead() -> Snapshot:
    """No agent process on n3."""
    return change_node(
        on_cilium(), "n3", Components, lambda c: dataclasses.replace(c, processes=("kubelet",))
    )


def daemon(snapshot: Snapshot, **numbers: int) -> Snapshot:
    """The agents' DaemonSet with other numbers."""
    return change_cluster(
        snapshot, Workloads,
        change_items(
            Workloads, lambda w: dataclasses.replace(w, **numbers) if w.name == "cilium" else w
        ),
    )  # fmt: skip


def gone() -> Snapshot:
    """The DaemonSet left n3 out and has all that it wants."""
    return daemon(pods(lambda _: None), desired=2, ready=2, updated=2)


def test_a_node_without_an_agent_fires() -> None:
    """It is named, and so are the Services that nobody keeps."""
    (found,) = findings("CNI-07", gone())
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.CERTAIN
    assert [e.text for e in found.evidence] == [
        "no Cilium pod on n3",
        "no cilium-agent process on the node",
        "it replaces kube-proxy: nothing else keeps Services",
    ]


def test_a_crash_loop_fires_and_leads_to_the_log() -> None:
    """Even if a process was seen in a short life between two crashes."""

    def loops(pod: Any) -> Any:
        return dataclasses.replace(pod, ready=False, waiting=("CrashLoopBackOff",), restarts=9)

    for snapshot in (dead(), on_cilium()):
        (found,) = findings("CNI-07", pods(loops, snapshot))
        assert "CrashLoopBackOff" in found.evidence[0].text
        assert "logs" in found.fix.commands[0]


def test_kube_proxy_that_is_not_replaced_is_not_mentioned() -> None:
    """Services are its own business then."""
    beside = change_node(
        on_cilium(kube_proxy_replacement="false"), "n3", Components,
        lambda c: dataclasses.replace(c, processes=("kubelet",)),
    )  # fmt: skip
    (found,) = findings("CNI-07", daemon(pods(lambda _: None, beside), desired=2, updated=2))
    assert not any("kube-proxy" in e.text for e in found.evidence)


def not_ready_node(machine: Any) -> Any:
    """The machine is down: that is not its agent's fault."""
    states = tuple(
        dataclasses.replace(c, status="Unknown") if c.type == "Ready" else c
        for c in machine.conditions
    )
    return dataclasses.replace(machine, conditions=states) if machine.name == "n3" else machine


@pytest.mark.parametrize(
    "quiet",
    [
        on_cilium(),
        pods(lambda p: dataclasses.replace(p, ready=False), on_cilium()),
        pods(lambda p: dataclasses.replace(p, ready=False, created=healthy().run.started)),
        daemon(gone(), desired=3),
        daemon(gone(), observed_generation=0),
        daemon(gone(), desired=0),
        change_cluster(gone(), Nodes, change_items(Nodes, not_ready_node)),
        change_cluster(dead(), Pods, lambda _: Pods(())),
    ],
    ids=["all run", "process runs", "young", "rolling", "unseen", "none wanted", "down", "no pods"],
)
def test_look_alikes_are_silent(quiet: Snapshot) -> None:
    """Roll-outs, young pods, dead nodes, and an API that is late."""
    assert findings("CNI-07", quiet) == []


def test_recorded_labs_are_silent() -> None:
    """Flannel's agents ran in every one of them."""
    for file in FOLDER.glob("*.json.gz"):
        assert findings("CNI-07", recorded(file.name.removesuffix(".json.gz"))) == [], file.name
