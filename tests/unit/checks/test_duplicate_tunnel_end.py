"""ENC-06."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Addresses, Interfaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    cluster_fact,
    findings,
    healthy,
)

BACKEND = "flannel.alpha.coreos.com/backend-data"
PUBLIC = "flannel.alpha.coreos.com/public-ip"
VXLAN = "projectcalico.org/IPv4VXLANTunnelAddr"


def machines(change: Callable[[Any], Any], snapshot: Snapshot | None = None) -> Snapshot:
    """Every Node changed."""
    return change_cluster(snapshot or healthy(), Nodes, change_items(Nodes, change))


def annotated(name: str, **_: object) -> dict[str, str]:
    """A node's recorded annotations."""
    found = cluster_fact(healthy(), Nodes).named(name)
    assert found is not None
    return dict(found.annotations)


def clone(key: str) -> Callable[[Any], Any]:
    """n3 with one annotation of n1."""

    def change(n: Any) -> Any:
        if n.name != "n3":
            return n
        return dataclasses.replace(n, annotations={**n.annotations, key: annotated("n1")[key]})

    return change


def test_one_vtep_mac_on_two_nodes_fires() -> None:
    """Both nodes are named, once."""
    (found,) = findings("ENC-06", machines(clone(BACKEND)))
    assert found.nodes == {"n1", "n3"}
    assert "the same VTEP MAC" in found.title


def test_one_public_address_on_two_nodes_fires() -> None:
    """Vagrant's NAT address, which every machine has."""

    def nat(n: Any) -> Any:
        if n.name == "n2":
            return n
        return dataclasses.replace(n, annotations={**n.annotations, PUBLIC: "10.0.2.15"})

    (found,) = findings("ENC-06", machines(nat))
    assert found.nodes == {"n1", "n3"}
    assert found.evidence[0].text == "public-ip 10.0.2.15: n1, n3"


def test_one_tunnel_address_of_calico_fires() -> None:
    """Other CNI plugins publish an address only."""

    def calico(n: Any) -> Any:
        return dataclasses.replace(n, annotations={VXLAN: "10.9.0.1"})

    (found,) = findings("ENC-06", machines(calico))
    assert found.nodes == {"n1", "n2", "n3"}


def test_the_successor_of_a_dead_node_is_silent() -> None:
    """A machine that came back under another name leaves its old Node object behind."""

    def dead(n: Any) -> Any:
        return dataclasses.replace(n, conditions=()) if n.name == "n1" else n

    assert findings("ENC-06", machines(dead, machines(clone(BACKEND)))) == []


def same_mac(snapshot: Snapshot) -> Snapshot:
    """Every node's eth0 with one MAC."""
    for name in ("n1", "n3"):
        snapshot = change_node(
            snapshot, name, Interfaces,
            change_items(
                Interfaces,
                lambda i: dataclasses.replace(i, address="02:00:00:00:00:01")
                if i.name == "eth0" else i,
            ),
        )  # fmt: skip
    return snapshot


def test_one_mac_on_one_subnet_fires() -> None:
    """A cloned machine."""
    (found,) = findings("ENC-06", same_mac(healthy()))
    assert found.nodes == {"n1", "n3"}
    assert found.title == "Two nodes have the same MAC"


def test_one_mac_on_routed_links_is_silent() -> None:
    """Clouds that route every packet may give each NIC the same MAC."""
    routed = same_mac(healthy())
    for name in ("n1", "n3"):
        routed = change_node(
            routed, name, Addresses,
            change_items(Addresses, lambda a: dataclasses.replace(a, prefix_length=32)),
        )  # fmt: skip
    assert findings("ENC-06", routed) == []


def test_the_healthy_lab_is_silent() -> None:
    """One kernel and one machine-id below all nodes, and nothing else in common."""
    assert findings("ENC-06", healthy()) == []
