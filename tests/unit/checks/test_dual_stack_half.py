"""V6-01."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Route, Routes
from kubectl_netdoctor.facts.pod_namespaces import PodNamespace, PodNamespaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.pod_sockets import NODES, add, change_pods
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    outcomes,
    sysctl,
)

FORWARDING = "net.ipv6.conf.all.forwarding"


def six(name: str) -> str:
    """The IPv6 podCIDR of a node."""
    return f"fd00:{name[1:]}::/64"


def route(name: str) -> Route:
    """The route to a node's IPv6 pods."""
    return Route(
        6, six(name), "fe80::1", "eth0", 254, "unicast", "static", "global", 0, None, None, True
    )


def more(name: str) -> Callable[[Routes], Routes]:
    """The routes of a node, with those to its peers' IPv6 pods."""
    new = tuple(route(other) for other in NODES if other != name)
    return lambda routes: dataclasses.replace(routes, items=(*routes.items, *new))


def both(pod: PodNamespace) -> PodNamespace:
    """A pod with an IPv6 address beside the recorded one of n1, 198.19.0.0/24, and so on."""
    (four,) = pod.addresses
    _, _, third, fourth = four.split(".")
    return dataclasses.replace(pod, addresses=(four, f"fd00:{int(third) + 1}::{fourth}"))


def dual() -> Snapshot:
    """The lab as it would be with IPv6."""

    def node(item: NodeInfo) -> NodeInfo:
        return dataclasses.replace(item, pod_cidrs=(*item.pod_cidrs, six(item.name)))

    snapshot = change_cluster(healthy(), Nodes, change_items(Nodes, node))
    for name in NODES:
        snapshot = change_node(snapshot, name, Routes, more(name))
        snapshot = sysctl(snapshot, name, FORWARDING, "1")
        snapshot = change_pods(snapshot, both, name)
    return snapshot


def test_a_dual_stack_cluster_is_silent() -> None:
    """Everything there for both."""
    assert findings("V6-01", dual()) == []
    assert outcomes("V6-01", dual()) == {"Passed"}


def test_a_single_stack_cluster_is_silent() -> None:
    """Whatever the kernel's IPv6 looks like."""
    assert findings("V6-01", sysctl(healthy(), "n3", FORWARDING, "0")) == []


def test_forwarding_of_one_family_only() -> None:
    """The classic: net.ipv4.ip_forward was set, the other forgotten."""
    (found,) = findings("V6-01", sysctl(dual(), "n3", FORWARDING, "0"))
    assert found.nodes == {"n3"}
    assert found.fix.commands == (f"sysctl -w {FORWARDING}=1",)


def test_a_missing_route_names_the_peer() -> None:
    """IPv4 has its route, IPv6 has not."""
    cut = change_node(
        dual(),
        "n3",
        Routes,
        change_items(Routes, lambda r: None if r.destination == six("n1") else r),
    )
    (found,) = findings("V6-01", cut)
    assert found.evidence[0].text == f"no route for {six('n1')}, the IPv6 pods of n1; IPv4 has one"


def test_routes_of_neither_family_are_the_cnis_way() -> None:
    """Cilium and other datapaths without routes."""
    bare = dual()
    for name in NODES:
        bare = change_node(bare, name, Routes, change_items(Routes, lambda _: None))
    assert findings("V6-01", bare) == []


def test_a_node_without_the_second_pod_cidr() -> None:
    """It joined before, or the pool is used up."""

    def node(item: NodeInfo) -> NodeInfo:
        return (
            dataclasses.replace(item, pod_cidrs=item.pod_cidrs[:1]) if item.name == "n3" else item
        )

    found = findings("V6-01", change_cluster(dual(), Nodes, change_items(Nodes, node)))
    assert [f.nodes for f in found] == [{"n3"}]
    assert "no IPv6 podCIDR" in found[0].evidence[0].text


def test_pods_without_the_second_address() -> None:
    """The CNI's configuration knows one family only; one pod with both, and it does."""
    one = PodNamespace("a", ("198.19.2.9",), 1450, (), (), 600.0)
    two = PodNamespace("b", ("198.19.2.8", "fd00:3::8"), 1450, (), (), 600.0)
    other = PodNamespace("docker", ("172.17.0.2",), 1500, (), (), 600.0)
    snapshot = add(dual(), "n3", PodNamespaces((one, other), (), (), 0))
    (found,) = findings("V6-01", snapshot)
    assert found.evidence[0].text == "none of 1 pods has an IPv6 address"
    assert findings("V6-01", add(dual(), "n3", PodNamespaces((one, two), (), (), 0))) == []
