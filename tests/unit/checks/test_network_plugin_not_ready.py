"""CNI-01."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.facts.cluster import Condition, Nodes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_items, findings, healthy

MESSAGE = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)
OLD = "2020-01-01T00:00:00Z"


def n3(created: str, since: str, message: str = MESSAGE, status: str = "False") -> Snapshot:
    """n3 with this Ready condition."""
    ready = Condition("Ready", status, "KubeletNotReady", message, since)

    def change(n: Any) -> Any:
        if n.name != "n3":
            return n
        return dataclasses.replace(n, created=created, conditions=(ready,))

    return change_cluster(healthy(), Nodes, change_items(Nodes, change))


def test_an_old_node_without_a_network_fires() -> None:
    """The kubelet's own words are the evidence."""
    (found,) = findings("CNI-01", n3(OLD, OLD))
    assert found.nodes == {"n3"}
    assert "cni plugin not initialized" in found.evidence[0].text


@pytest.mark.parametrize(
    "quiet",
    [
        n3(healthy().run.started, healthy().run.started),
        n3(OLD, healthy().run.started),
        n3(OLD, OLD, "PLEG is not healthy"),
        n3(OLD, OLD, status="True"),
        n3("", ""),
    ],
    ids=["just joined", "just now", "another reason", "ready", "unknown age"],
)
def test_it_is_silent(quiet: Snapshot) -> None:
    """Young nodes, young conditions, other reasons."""
    assert findings("CNI-01", quiet) == []
