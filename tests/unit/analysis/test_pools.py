"""Which nodes count as alike."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.analysis.pools import pool
from kubectl_netdoctor.cluster.allowed import NODE_LABELS
from kubectl_netdoctor.facts.cluster import POOL_LABELS, NodeInfo, Nodes
from kubectl_netdoctor.facts.system import Kernel
from tests.unit.recorded import cluster_fact, healthy, node_fact


def info(os_image: str = "Ubuntu 24.04.1 LTS", **labels: str) -> NodeInfo:
    """A Node with these labels; `__` stands for the rest of a label's name."""
    one = cluster_fact(healthy(), Nodes).items[0]
    return dataclasses.replace(one, os_image=os_image, labels={**one.labels, **labels})


@pytest.mark.parametrize("label", POOL_LABELS)
def test_a_pool_label_says_it_outright(label: str) -> None:
    """Whatever the distribution's version and the machine type; and it is read from the API."""
    labels = {label: "blue", "node.kubernetes.io/instance-type": "m5.large"}
    assert pool(info(**labels), None) == "pool blue amd64"
    assert pool(info("Ubuntu 22.04", **{label: "blue"}), None) == "pool blue amd64"
    assert pool(info(**{label: "green"}), None) == "pool green amd64"
    assert label in NODE_LABELS


def test_without_a_label_the_distribution_and_machine_type_count() -> None:
    """Not its version: a node with another one is what is looked for."""
    assert pool(info(), None) == pool(info("Ubuntu 22.04.5 LTS"), None) == "Ubuntu amd64"
    assert pool(info("Flatcar Container Linux by Kinvolk 3815.2.0 (Oklo)"), None) == (
        "Flatcar Container Linux by Kinvolk amd64"
    )
    typed = {"node.kubernetes.io/instance-type": "m5.large"}
    assert pool(info(**typed), None) == "Ubuntu m5.large amd64"
    assert pool(info(**{"kubernetes.io/arch": "arm64"}), None) == "Ubuntu arm64"


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("control-plane", "Ubuntu amd64 control-plane"),
        ("master", "Ubuntu amd64 control-plane"),
        ("worker", "Ubuntu amd64"),
        ("gateway", "Ubuntu amd64 gateway"),
    ],
)
def test_roles_part_nodes(role: str, expected: str) -> None:
    """A worker by any name is a plain node."""
    assert pool(info(**{f"node-role.kubernetes.io/{role}": ""}), None) == expected


def test_both_roles_of_an_old_control_plane_are_one() -> None:
    """Some releases of kubeadm set both labels."""
    labels = {f"node-role.kubernetes.io/{r}": "" for r in ("master", "control-plane")}
    assert pool(info(**labels), None) == "Ubuntu amd64 control-plane"


def test_without_the_api_the_node_itself_tells() -> None:
    """And a node of which nothing is known is alike with none."""
    assert pool(None, node_fact(healthy(), "n1", Kernel)) == "debian x86_64"
    assert pool(None, None) is None
