"""ENC-08."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_items, change_node, findings, healthy


def device(change: Callable[[Any], Any]) -> Snapshot:
    """n3 with its VXLAN device changed."""
    return change_node(
        healthy(), "n3", Interfaces,
        change_items(Interfaces, lambda i: change(i) if i.name == "flannel.1" else i),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: None, "missing"),
        (lambda i: dataclasses.replace(i, up=False), "down"),
        (
            lambda i: dataclasses.replace(i, vxlan=dataclasses.replace(i.vxlan, local="192.0.2.9")),
            "wrong address",
        ),
    ],
)
def test_it_fires(change: Callable[[Any], Any], words: str) -> None:
    """Missing, down, or bound to an address that nobody was told."""
    (found,) = findings("ENC-08", device(change))
    assert found.nodes == {"n3"}
    assert words in found.title


def test_an_unknown_operstate_is_normal() -> None:
    """VXLAN devices say UNKNOWN for ever."""
    assert findings("ENC-08", device(lambda i: dataclasses.replace(i, operstate="UNKNOWN"))) == []


def test_a_cluster_without_a_tunnel_is_silent() -> None:
    """host-gw publishes no VXLAN end, so none is missed."""

    def host_gw(n: Any) -> Any:
        return dataclasses.replace(
            n, annotations={"flannel.alpha.coreos.com/backend-type": "host-gw"}
        )

    routed = change_cluster(device(lambda _: None), Nodes, change_items(Nodes, host_gw))
    assert findings("ENC-08", routed) == []
