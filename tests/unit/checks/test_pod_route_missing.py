"""RTE-01."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Routes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    cluster_fact,
    findings,
    healthy,
)


def cidr(node: str) -> str:
    """A recorded node's podCIDR."""
    found = cluster_fact(healthy(), Nodes).named(node)
    assert found is not None
    return found.pod_cidrs[0]


def without_route_to(peer: str, *more: str) -> Snapshot:
    """n3 without its route to a peer's pods."""
    gone = {cidr(p) for p in (peer, *more)}
    return change_node(
        healthy(),
        "n3",
        Routes,
        change_items(Routes, lambda r: None if r.destination in gone else r),
    )


def test_it_fires_for_the_one_peer() -> None:
    """The pair is named, and the command that flannel itself would run."""
    (found,) = findings("RTE-01", without_route_to("n1"))
    assert found.paths == (("n3", "n1"),)
    assert "by 0.0.0.0/0 via" in found.evidence[0].text
    assert found.fix.commands[0].startswith(f"ip route add {cidr('n1')} via ")
    assert found.fix.commands[0].endswith("dev flannel.1 onlink")


def test_a_blackhole_is_no_route() -> None:
    """A route that drops does not lead there."""
    hole = change_node(
        healthy(), "n3", Routes,
        change_items(
            Routes,
            lambda r: dataclasses.replace(r, kind="blackhole", interface=None)
            if r.destination == cidr("n2") else r,
        ),
    )  # fmt: skip
    (found,) = findings("RTE-01", hole)
    assert "into a blackhole route" in found.evidence[0].text


def test_a_peer_that_is_down_is_not_missed() -> None:
    """Flannel takes the route of a deleted or dead node away in its own time."""

    def down(n: object) -> object:
        if n.name != "n1":  # type: ignore[attr-defined]
            return n
        return dataclasses.replace(n, conditions=())  # type: ignore[type-var]

    assert (
        findings("RTE-01", change_cluster(without_route_to("n1"), Nodes, change_items(Nodes, down)))
        == []
    )


def test_a_cni_with_its_own_allocation_is_silent() -> None:
    """No node has a route by podCIDR and nobody says flannel: that is a CNI of another kind."""
    other = change_cluster(
        without_route_to("n1", "n2"),
        Nodes,
        change_items(Nodes, lambda n: dataclasses.replace(n, annotations={})),
    )
    assert findings("RTE-01", other) == []
