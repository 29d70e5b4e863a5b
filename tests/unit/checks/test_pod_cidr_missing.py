"""RTE-03."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_items, findings, healthy

OLD = "2020-01-01T00:00:00Z"


def n3(**change: Any) -> Snapshot:
    """n3 without a podCIDR, changed further."""

    def apply(n: Any) -> Any:
        if n.name != "n3":
            return n
        return dataclasses.replace(n, **{"pod_cidrs": (), "created": OLD, **change})

    return change_cluster(healthy(), Nodes, change_items(Nodes, apply))


def test_a_node_without_a_range_fires() -> None:
    """It says how many have one."""
    (found,) = findings("RTE-03", n3())
    assert found.nodes == {"n3"}
    assert found.evidence[1].text == "2 of 3 nodes have one"


def test_young_and_virtual_nodes_are_silent() -> None:
    """The range comes within seconds; virtual nodes have no network of pods."""
    assert findings("RTE-03", n3(created=healthy().run.started)) == []
    assert findings("RTE-03", n3(labels={"type": "virtual-kubelet"})) == []


def test_a_cni_with_its_own_allocation_is_silent() -> None:
    """Calico, Cilium and cloud plugins ignore podCIDRs."""
    bare = change_cluster(
        n3(), Nodes, change_items(Nodes, lambda n: dataclasses.replace(n, annotations={}))
    )
    assert findings("RTE-03", bare) == []
