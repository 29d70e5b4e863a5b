"""ENC-07."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.facts.cluster import ConfigMapInfo, ConfigMaps, Nodes
from kubectl_netdoctor.facts.link import Interfaces, Vxlan
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_items, change_node, findings, healthy

BACKEND = "flannel.alpha.coreos.com/backend"


def vxlan(node: str, snapshot: Snapshot | None = None, **change: Any) -> Snapshot:
    """A node's VXLAN device with other settings."""
    return change_node(
        snapshot or healthy(), node, Interfaces,
        change_items(
            Interfaces,
            lambda i: dataclasses.replace(i, vxlan=dataclasses.replace(i.vxlan, **change))
            if i.vxlan else i,
        ),
    )  # fmt: skip


def net_conf(snapshot: Snapshot, backend: str) -> Snapshot:
    """Flannel's config map with another backend."""
    text = f'{{"Network": "198.19.0.0/17", "Backend": {backend}}}'
    maps = ConfigMaps(
        (ConfigMapInfo("kube-system", "kube-flannel-cfg", {"net-conf.json": text}),),
    )
    return change_cluster(snapshot, ConfigMaps, lambda _: maps)


def test_another_port_on_one_node_fires() -> None:
    """The odd one is named, with what the others have."""
    (found,) = findings("ENC-07", vxlan("n3", port=4790))
    assert found.nodes == {"n3"}
    assert found.evidence[0].text == "UDP port is 4790, the others have 8472"
    assert found.confidence is Confidence.CERTAIN


def test_another_vni_fires() -> None:
    """A device that was made by hand with another id."""
    (found,) = findings("ENC-07", vxlan("n2", vni=7))
    assert found.nodes == {"n2"}
    assert "VNI" in found.title


def test_the_config_map_says_who_is_right() -> None:
    """Two nodes with 8472, one with the port that is meant: the two are the odd ones."""
    changed = net_conf(vxlan("n3", port=4789), '{"Type": "vxlan", "Port": 4789}')
    (found,) = findings("ENC-07", changed)
    assert found.nodes == {"n1", "n2"}


def test_a_half_done_migration_of_the_backend_fires() -> None:
    """One node says host-gw already."""

    def routed(n: Any) -> Any:
        if n.name != "n1":
            return n
        return dataclasses.replace(n, annotations={**n.annotations, f"{BACKEND}-type": "host-gw"})

    found = findings("ENC-07", change_cluster(healthy(), Nodes, change_items(Nodes, routed)))
    assert [f.nodes for f in found] == [{"n1"}]
    assert "backend" in found[0].title


def test_a_config_map_that_nobody_has_read_yet_is_low() -> None:
    """Everything works until the first agent restarts."""
    (found,) = findings("ENC-07", net_conf(healthy(), '{"Type": "vxlan", "Port": 4789}'))
    assert found.severity is Severity.LOW
    assert found.nodes == set()


def test_a_config_map_without_port_or_type_is_silent() -> None:
    """Defaults are the kernel's and flannel's own business."""
    assert findings("ENC-07", net_conf(healthy(), '{"Type": "vxlan"}')) == []
    assert findings("ENC-07", net_conf(healthy(), "{}")) == []


def test_another_vxlan_device_beside_it_is_silent() -> None:
    """Docker Swarm's device has a port of its own."""

    def swarm(fact: Interfaces) -> Interfaces:
        device = next(i for i in fact.items if i.vxlan)
        other = dataclasses.replace(
            device, name="vx-001001", vxlan=Vxlan(4097, 4789, None, None, True, False)
        )
        return Interfaces((*fact.items, other))

    assert findings("ENC-07", change_node(healthy(), "n3", Interfaces, swarm)) == []


def test_the_healthy_lab_is_silent() -> None:
    """All agree."""
    assert findings("ENC-07", healthy()) == []
