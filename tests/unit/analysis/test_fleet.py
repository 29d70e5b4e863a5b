"""The fleet view: which nodes are compared, what most have, who differs, of whom it is not known."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest

from kubectl_netdoctor.analysis.fleet import Fleet, Trait, fleet
from kubectl_netdoctor.checks.network_agent_down import AGENTS
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import PodInfo, Pods
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.netfilter import Conntrack, Iptables, IptablesRuleset
from kubectl_netdoctor.facts.path_mtu import PathMtus
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Kernel
from tests.unit.analysis import fleets
from tests.unit.recorded import (
    FOLDER,
    change_cluster,
    change_items,
    change_node,
    healthy,
    recorded,
    sysctl,
    without,
)

NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())
RP_FILTER = "net.ipv4.conf.all.rp_filter"


def odd(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """Outliers by trait."""
    return {t.name: t.outliers for t in fleet(snapshot).odd}


def trait(snapshot: Snapshot, name: str) -> Trait:
    """One trait."""
    return next(t for t in fleet(snapshot).traits if t.name == name)


def test_nodes_that_are_alike_have_no_outlier() -> None:
    """And everything that should agree has a majority."""
    found = fleet(healthy())
    assert found.odd == ()
    assert found.pools == {"Debian GNU/Linux amd64": ("n1", "n2", "n3")}
    agreed = {t.name for t in found.traits if t.majorities}
    assert agreed >= {
        "kernel",
        "clock",
        "kubelet",
        "container runtime",
        "kube-proxy image",
        "network agent image",
        "Service proxy",
        "iptables backend",
        "conntrack limit",
        "NIC MTU",
        "NIC driver",
        "NIC tx-checksum-ip-generic",
        "overlay MTU",
        "overlay VNI, port",
        "net.ipv4.ip_forward",
    }


@pytest.mark.parametrize("name", NAMES)
def test_faults_outside_the_settings_are_no_outliers(name: str) -> None:
    """Only the recorded fault that is a setting shows."""
    expected = {"ip_forward_off": {"net.ipv4.ip_forward": {"n3": "0"}}}
    assert odd(recorded(name)) == expected.get(name, {})


def test_one_of_three_that_differs_is_the_outlier() -> None:
    """Kernel and sysctl of n2; nothing of the others."""
    snapshot = sysctl(fleets.kernel(healthy(), "n2"), "n2", RP_FILTER, "1")
    assert odd(snapshot) == {"kernel": {"n2": "5.4.0"}, RP_FILTER: {"n2": "1"}}
    most = trait(snapshot, "kernel").of("n2")
    assert most
    assert (most.nodes, most.known) == (("n1", "n3"), 3)


def test_two_nodes_are_no_majority() -> None:
    """Nobody can say which of them is right."""
    snapshot = fleets.kernel(fleets.of("a", "b"), "b")
    assert trait(snapshot, "kernel").values == {"a": "6.18.44-fc-v669", "b": "5.4.0"}
    assert all(not t.majorities for t in fleet(snapshot).traits)


def test_values_that_all_differ_have_no_majority() -> None:
    """Three kernels on three nodes."""
    snapshot = fleets.kernel(fleets.kernel(healthy(), "n1", "6.1"), "n2")
    assert odd(snapshot) == {}


@pytest.mark.parametrize("how", ["missing", "silent"])
def test_what_is_not_known_is_neither_a_value_nor_an_outlier(how: str) -> None:
    """A node without the fact is named, and does not count towards the majority."""
    snapshot = fleets.kernel(fleets.of("a", "b", "c", "d"), "d")
    if how == "missing":
        snapshot = change_node(snapshot, "a", Kernel, lambda _: fleets.GONE)
    else:
        snapshot = fleets.silent(snapshot, "a")
    found = trait(snapshot, "kernel")
    assert found.unknown == ("a",)
    assert found.outliers == {"d": "5.4.0"}
    two = fleets.silent(snapshot, "b")
    assert trait(two, "kernel").unknown == ("a", "b")
    assert trait(two, "kernel").majorities == ()


def test_a_parameter_that_a_node_lacks_is_not_known() -> None:
    """Missing is never a value: not 0, not different."""
    gone = Missing(Reason.NOT_PRESENT, "no such file")
    snapshot = sysctl(fleets.of("a", "b", "c", "d"), "b", RP_FILTER, gone)
    assert trait(snapshot, RP_FILTER).unknown == ("b",)
    assert odd(snapshot) == {}


def test_pools_are_compared_each_by_itself() -> None:
    """Three nodes with another kernel are a pool of their own, not three outliers."""
    old = ("d", "e", "f")
    snapshot = fleets.of("a", "b", "c", *old)
    for node in old:
        snapshot = fleets.kernel(snapshot, node)
    snapshot = fleets.labelled(
        snapshot,
        {n: {"cloud.google.com/gke-nodepool": "old" if n in old else "new"} for n in "abcdef"},
    )
    assert odd(snapshot) == {}
    assert {m.value for m in trait(snapshot, "kernel").majorities} == {"6.18.44-fc-v669", "5.4.0"}
    assert odd(fleets.kernel(snapshot, "e", "5.5")) == {"kernel": {"e": "5.5"}}


def test_a_control_plane_may_differ() -> None:
    """One such node is compared with no worker, and three of them with each other."""
    snapshot = fleets.kernel(fleets.of("a", "b", "c", "d"), "d")
    role = {"node-role.kubernetes.io/control-plane": ""}
    assert odd(fleets.labelled(snapshot, {"d": role})) == {}
    three = fleets.labelled(snapshot, dict.fromkeys("bcd", role))
    assert odd(three) == {"kernel": {"d": "5.4.0"}}


def test_states_and_sizes_are_shown_and_not_compared() -> None:
    """Uptime, memory, CPUs; limits that kernels derive from memory."""
    snapshot = change_node(
        healthy(),
        "n2",
        Kernel,
        lambda k: dataclasses.replace(k, uptime_seconds=9e6, memory_bytes=1 << 33, cpus=64),
    )
    snapshot = sysctl(snapshot, "n2", "net.ipv4.tcp_rmem", "4096 131072 1000")
    snapshot = change_node(
        snapshot, "n2", Conntrack, lambda c: dataclasses.replace(c, limit=2097152)
    )
    assert odd(snapshot) == {}
    assert trait(snapshot, "uptime").values["n2"] == "104.2 d"


def test_conntrack_limits_are_compared_between_nodes_of_one_size() -> None:
    """kube-proxy sets them by the number of CPUs."""
    snapshot = change_node(
        healthy(), "n3", Conntrack, lambda c: dataclasses.replace(c, limit=65536)
    )
    assert odd(snapshot) == {"conntrack limit": {"n3": "65536"}}


def test_the_nic_is_known_without_any_measurement() -> None:
    """It holds the node's address; where paths were measured, they name it."""
    snapshot = change_node(healthy(), "n2", Interfaces, nic(mtu=1400))
    unmeasured = without(snapshot, PathMtus)
    assert odd(unmeasured) == {"NIC MTU": {"n2": "1400"}}
    assert not any(t.name.startswith("overlay") for t in fleet(unmeasured).traits)


def nic(**changes: object) -> Callable[[Interfaces], Interfaces]:
    """A change of eth0."""

    def keep(link: Interface) -> Interface:
        return dataclasses.replace(link, **changes) if link.name == "eth0" else link  # type: ignore[arg-type]

    return change_items(Interfaces, keep)


def test_offloads_that_change_packets_are_compared() -> None:
    """One that the driver lacks is off; where nothing could be read it is not known."""
    bare = change_node(healthy(), "n3", Interfaces, nic(offloads={"rx-gro": True}))
    found = odd(bare)
    assert found["NIC rx-gro"] == {"n3": "on"}
    assert found["NIC tx-checksum-ip-generic"] == {"n3": "off"}
    unread = change_node(healthy(), "n3", Interfaces, nic(offloads={}))
    assert odd(unread) == {}
    assert trait(unread, "NIC rx-gro").unknown == ("n3",)


def test_the_iptables_backend_with_rules_is_compared() -> None:
    """An unreadable one leaves it open."""
    plain = healthy()

    def both(fact: Iptables) -> Iptables:
        assert isinstance(fact.nft, IptablesRuleset)
        return dataclasses.replace(fact, legacy=dataclasses.replace(fact.nft, backend="legacy"))

    assert odd(change_node(plain, "n3", Iptables, both)) == {
        "iptables backend": {"n3": "legacy and nft"}
    }
    unread = change_node(
        plain, "n3", Iptables, lambda f: dataclasses.replace(f, legacy=fleets.GONE)
    )
    assert odd(unread) == {}
    assert trait(unread, "iptables backend").unknown == ("n3",)


def test_images_are_those_of_pods_that_stay() -> None:
    """A pod that is being deleted says nothing of its node."""
    label = AGENTS[1].label

    def image(pod: PodInfo) -> PodInfo:
        mine = pod.node == "n3" and pod.labels.get(label[0]) == label[1]
        return dataclasses.replace(pod, images=("flannel:v9",)) if mine else pod

    def deleting(pod: PodInfo) -> PodInfo:
        return dataclasses.replace(pod, deleting=pod.images == ("flannel:v9",))

    snapshot = change_cluster(healthy(), Pods, change_items(Pods, image))
    assert odd(snapshot) == {"network agent image": {"n3": "flannel:v9"}}
    leaving = change_cluster(snapshot, Pods, change_items(Pods, deleting))
    assert trait(leaving, "network agent image").unknown == ("n3",)


def test_nothing_was_asked() -> None:
    """No node, no trait."""
    assert fleet(dataclasses.replace(healthy(), nodes=())) == Fleet((), {})


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_nodes_does_not_matter(name: str) -> None:
    """Neither of the reports nor of the API's items."""
    snapshot = sysctl(fleets.kernel(recorded(name), "n2"), "n1", RP_FILTER, fleets.GONE)
    expected = fleet(snapshot)
    assert expected.odd
    chance = random.Random(name)  # noqa: S311 - any order does
    for _ in range(4):
        nodes = list(snapshot.nodes)
        chance.shuffle(nodes)
        cluster = {
            key: dataclasses.replace(f, items=tuple(chance.sample(f.items, len(f.items))))
            if hasattr(f, "items")
            else f
            for key, f in snapshot.cluster.items()
        }
        other = fleet(dataclasses.replace(snapshot, nodes=tuple(nodes), cluster=cluster))
        assert other == expected
        assert [list(t.outliers) for t in other.traits] == [
            list(t.outliers) for t in expected.traits
        ]
