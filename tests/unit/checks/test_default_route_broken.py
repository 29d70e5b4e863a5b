"""RTE-12."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.link import Neighbour, Neighbours, Routes
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, findings, healthy

NAMES = ("n1", "n2", "n3")


def without_default(*names: str) -> Snapshot:
    """These nodes without a default route."""
    snapshot = healthy()
    for name in names:
        snapshot = change_node(
            snapshot, name, Routes,
            change_items(Routes, lambda r: None if r.destination == "0.0.0.0/0" else r),
        )  # fmt: skip
    return snapshot


def dead_gateway(snapshot: Snapshot, state: str = "failed") -> Snapshot:
    """n3's gateway in this state."""
    entry = Neighbour("eth0", "198.18.0.1", None, state)
    return change_node(
        snapshot, "n3", Neighbours,
        lambda n: dataclasses.replace(
            n, items=(*(i for i in n.items if i.address != entry.address), entry)
        ),
    )  # fmt: skip


def resolver(snapshot: Snapshot, server: str) -> Snapshot:
    """n3 with another name server."""
    conf = ResolvConf("/etc/resolv.conf", (server,), (), ())
    return change_node(
        snapshot, "n3", Resolver, lambda r: dataclasses.replace(r, node=conf, pods=conf)
    )


def test_one_node_without_a_default_route_fires() -> None:
    """The others tell what is usual, and their gateway is the fix."""
    (found,) = findings("RTE-12", without_default("n3"))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.LIKELY
    assert found.fix.commands == ("ip route add default via 198.18.0.1",)


def test_a_service_address_without_a_route_fires_everywhere() -> None:
    """Programs of the node cannot reach ClusterIPs, on no node."""

    def stuck(p: Any) -> Any:
        if p.role != "api-service":
            return p
        return dataclasses.replace(p, received=0, rtt_ms=(), errors={"no-route": p.sent})

    snapshot = without_default(*NAMES)
    for name in NAMES:
        snapshot = change_node(snapshot, name, PathProbes, change_items(PathProbes, stuck))
    found = findings("RTE-12", snapshot)
    assert [f.confidence for f in found] == [Confidence.CERTAIN] * 3


def test_an_air_gapped_cluster_is_silent() -> None:
    """No node has one, and nothing that is probed lacks a route."""
    assert findings("RTE-12", without_default(*NAMES)) == []


def test_a_dead_gateway_with_a_resolver_behind_it_fires() -> None:
    """Judged by ARP."""
    (found,) = findings("RTE-12", dead_gateway(resolver(healthy(), "192.0.2.53")))
    assert found.nodes == {"n3"}
    assert "192.0.2.53" in found.evidence[1].text


def test_a_dead_gateway_that_nobody_needs_is_silent() -> None:
    """A made-up default route, as air-gapped installations have it for ClusterIPs."""
    assert findings("RTE-12", dead_gateway(healthy())) == []


def test_a_gateway_that_answers_or_was_not_asked_is_silent() -> None:
    """Stale means that nobody needed it lately."""
    outside = resolver(healthy(), "192.0.2.53")
    for state in ("stale", "reachable", "incomplete"):
        assert findings("RTE-12", dead_gateway(outside, state)) == []
