"""RTE-05."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.test_tunnel_port_blocked import silent_tunnel
from tests.unit.recorded import change_cluster, change_items, findings, healthy

PUBLIC = "flannel.alpha.coreos.com/public-ip"


def second_nic(snapshot: Snapshot) -> Snapshot:
    """Flannel on n3 uses another address than the kubelet."""

    def change(n: Any) -> Any:
        if n.name != "n3":
            return n
        return dataclasses.replace(n, annotations={**n.annotations, PUBLIC: "10.0.2.15"})

    return change_cluster(snapshot, Nodes, change_items(Nodes, change))


def shared(*, ready: bool) -> Snapshot:
    """n2 with n1's InternalIP."""

    def change(n: Any) -> Any:
        if n.name != "n2":
            return n
        conditions = n.conditions if ready else ()
        return dataclasses.replace(n, internal_ips=("198.18.0.11",), conditions=conditions)

    return change_cluster(healthy(), Nodes, change_items(Nodes, change))


def test_one_internal_ip_on_two_nodes_fires() -> None:
    """Both are named."""
    (found,) = findings("RTE-05", shared(ready=True))
    assert found.nodes == {"n1", "n2"}


def test_the_successor_of_a_dead_node_is_silent() -> None:
    """The old Node object still has the address."""
    assert findings("RTE-05", shared(ready=False)) == []


def test_a_tunnel_on_another_address_that_is_silent_fires() -> None:
    """Configuration and behaviour together."""
    snapshot = second_nic(healthy())
    for name in ("n1", "n2"):
        snapshot = silent_tunnel(snapshot, name, {"n3"})
    (found,) = findings("RTE-05", snapshot)
    assert found.nodes == {"n3"}
    assert "10.0.2.15" in found.title


def test_a_tunnel_on_another_address_that_answers_is_silent() -> None:
    """A second NIC for the overlay is legal."""
    assert findings("RTE-05", second_nic(healthy())) == []
    assert findings("RTE-05", second_nic(silent_tunnel(healthy(), "n1", {"n3"}))) == []


def test_a_silent_tunnel_on_the_internal_ip_is_another_check() -> None:
    """ENC-01."""
    snapshot = healthy()
    for name in ("n1", "n2"):
        snapshot = silent_tunnel(snapshot, name, {"n3"})
    assert findings("RTE-05", snapshot) == []
