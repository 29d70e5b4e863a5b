"""RTE-02."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Addresses, Route, Routes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    cluster_fact,
    findings,
    healthy,
    outcomes,
)


def cidr(node: str) -> str:
    """A recorded node's podCIDR."""
    found = cluster_fact(healthy(), Nodes).named(node)
    assert found is not None
    return found.pod_cidrs[0]


def half(node: str) -> str:
    """The upper half of a node's podCIDR."""
    return cidr(node).replace(".0/24", ".128/25")


def route(destination: str, **more: Any) -> Route:
    """A route of the main table; a blackhole unless told otherwise."""
    plain = Route(4, destination, None, None, 254, "blackhole", "boot", "global", 0, None, None, False)  # fmt: skip
    return dataclasses.replace(plain, **more)


def with_route(added: Route) -> Snapshot:
    """The healthy lab with one more route on n3."""
    return change_node(
        healthy(), "n3", Routes, lambda r: dataclasses.replace(r, items=(*r.items, added))
    )


def test_a_blackhole_inside_a_peers_pods_fires() -> None:
    """The pair is named, and the very route is deleted."""
    (found,) = findings("RTE-02", with_route(route(half("n1"))))
    assert found.paths == (("n3", "n1"),)
    assert found.title == "A route for the pods of n1 is a blackhole"
    assert found.fix.commands == (f"ip route del blackhole {half('n1')}",)


def test_a_blackhole_inside_the_own_pods_fires() -> None:
    """Local pods are lost."""
    (found,) = findings("RTE-02", with_route(route(half("n3"), kind="prohibit")))
    assert found.nodes == {"n3"}
    assert "its own pods is a prohibit" in found.title


def test_a_route_that_takes_the_own_pods_away_fires() -> None:
    """A stale route of the time when another node had this podCIDR."""
    away = route(half("n3"), kind="unicast", gateway="198.18.0.12", interface="eth0")
    (found,) = findings("RTE-02", with_route(away))
    assert found.title == "A route for its own pods leads away"


def test_a_peers_pods_behind_another_node_fires() -> None:
    """A more specific route to the wrong place."""
    wrong = route(half("n1"), kind="unicast", gateway="198.18.0.12", interface="eth0")
    (found,) = findings("RTE-02", with_route(wrong))
    assert found.title == "A route for the pods of n1 leads elsewhere"
    assert "via 198.18.0.12 dev eth0" in found.evidence[0].text


def test_a_route_to_a_node_that_is_gone_is_low() -> None:
    """Harmless until the range is given out again."""
    stale = route(
        "198.19.77.0/24", kind="unicast", gateway="198.19.77.0", interface="flannel.1", onlink=True
    )
    (found,) = findings("RTE-02", with_route(stale))
    assert found.severity is Severity.LOW


@pytest.mark.parametrize(
    "harmless",
    [
        route(half("n3"), protocol="bird"),
        route(half("n1"), protocol="80"),
        route("198.16.0.0/12"),
        route("0.0.0.0/0", kind="unreachable", metric=4278198272),
        route(cidr("n1"), metric=1000),
        route(half("n1"), table=100),
        route(cidr("n1"), kind="unicast", gateway="198.18.0.11", interface="eth0", metric=0),
        route("203.0.113.0/24"),
        route(f"{cidr('n3')[:-4]}7/32", kind="unicast", interface="veth7", scope="link"),
    ],
    ids=[
        "Calico's own block",
        "Calico by number",
        "a wide blackhole",
        "an unreachable default",
        "a fallback behind the route that is used",
        "another table",
        "DirectRouting",
        "somebody else's range",
        "a routed local pod",
    ],
)
def test_it_is_silent(harmless: Route) -> None:
    """Routes that look alarming and do no harm."""
    assert findings("RTE-02", with_route(harmless)) == []


def test_another_cni_is_silent() -> None:
    """Without flannel and without a pod bridge, nobody knows how pods are routed."""
    snapshot = change_cluster(
        with_route(route(half("n1"))), Nodes,
        change_items(Nodes, lambda n: dataclasses.replace(n, annotations={})),
    )  # fmt: skip
    snapshot = change_node(
        snapshot, "n3", Addresses,
        change_items(Addresses, lambda a: None if a.interface == "cni0" else a),
    )  # fmt: skip
    assert findings("RTE-02", snapshot) == []


def test_a_cut_off_list_proves_nothing() -> None:
    """More routes than the agent reads."""
    cut = change_node(healthy(), "n3", Routes, lambda r: dataclasses.replace(r, truncated=1))
    assert "Skipped" in outcomes("RTE-02", cut)
