"""Cilium's own objects, and the tunnel's ends that only they say."""

from __future__ import annotations

import json

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.cilium import TUNNEL_END, reduce_cilium_node
from kubectl_netdoctor.cluster.inventory import read_inventory
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cilium import Cilium, CiliumNodeInfo
from kubectl_netdoctor.facts.cluster import Nodes
from tests.unit.cluster.fake_server import FakeServer, Response, status

N1 = {
    "metadata": {"name": "n1"},
    "spec": {
        "addresses": [
            {"type": "InternalIP", "ip": "192.0.2.1"},
            {"type": "CiliumInternalIP", "ip": "fd00::42"},
            {"type": "CiliumInternalIP", "ip": "10.0.1.42"},
        ],
        "ipam": {"podCIDRs": ["10.0.1.0/24"]},
    },
}


def listed(*objects: object) -> Response:
    """A collection."""
    return Response(200, json.dumps({"items": objects}).encode())


def cluster(server: FakeServer, **config: str) -> None:
    """Two Nodes, a CiliumNode of the first, and one policy of Cilium's."""
    annotations = {"network.cilium.io/ipv4-cilium-host": "10.0.2.9"}
    server.store.add("nodes", {"metadata": {"name": "n1"}})
    server.store.add("nodes", {"metadata": {"name": "n2", "annotations": annotations}})
    server.store.add("namespaces", {"metadata": {"name": "kube-system"}})
    data = {k.replace("_", "-"): v for k, v in config.items()}
    named = {"name": "cilium-config", "namespace": "kube-system"}
    server.store.add("configmaps", {"metadata": named, "data": data})
    server.on("GET", "/ciliumnodes$", listed(N1))
    server.on("GET", "/ciliumnetworkpolicies$", listed({"metadata": {"name": "p"}}))
    server.on("GET", "/ciliumclusterwidenetworkpolicies$", listed())


def ends(api: Api) -> list[str | None]:
    """What each Node is said to have as its end of the tunnel."""
    nodes = read_inventory(api)["nodes"]
    assert isinstance(nodes, Nodes)
    return [n.annotations.get(TUNNEL_END) for n in nodes.items]


def test_the_fact(api: Api, server: FakeServer) -> None:
    """Addresses and ranges of nodes; of policies their number only."""
    cluster(server)
    info = CiliumNodeInfo("n1", ("fd00::42", "10.0.1.42"), ("10.0.1.0/24",))
    assert read_inventory(api)["cilium"] == Cilium((info,), 1)


def test_policies_that_cannot_be_counted(api: Api, server: FakeServer) -> None:
    """Not counted is not none."""
    server.on("GET", "/ciliumclusterwidenetworkpolicies$", status(403, "Forbidden", "no"))
    cluster(server)
    found = read_inventory(api)["cilium"]
    assert isinstance(found, Cilium)
    assert found.policies is None


@pytest.mark.parametrize("config", [{"routing_mode": "tunnel"}, {"tunnel": "vxlan"}, {}])
def test_ends_of_the_tunnel(api: Api, server: FakeServer, config: dict[str, str]) -> None:
    """The CiliumNode's address where the Node has no annotation; tunnelling is the default."""
    cluster(server, **config)
    assert ends(api) == ["10.0.1.42", "10.0.2.9"]


@pytest.mark.parametrize("config", [{"routing_mode": "native"}, {"tunnel": "disabled"}])
def test_native_routing_has_none(api: Api, server: FakeServer, config: dict[str, str]) -> None:
    """The address is there, and no tunnel leads to it."""
    cluster(server, **config)
    assert ends(api) == [None, "10.0.2.9"]


def test_ranges_of_pods_are_those_of_ciliums_own_allocation(api: Api, server: FakeServer) -> None:
    """The controller manager may have given out others, which nobody uses."""
    cluster(server)
    server.store.add("nodes", {"metadata": {"name": "n1"}, "spec": {"podCIDR": "10.9.0.0/24"}})
    nodes = read_inventory(api)["nodes"]
    assert isinstance(nodes, Nodes)
    (n1,) = [n for n in nodes.items if n.name == "n1"]
    assert n1.pod_cidrs == ("10.0.1.0/24",)


def test_without_ciliumnodes(api: Api, server: FakeServer) -> None:
    """Nodes are what they say themselves."""
    server.on("GET", "/ciliumnodes$", status(403, "Forbidden", "no"))
    cluster(server)
    assert ends(api) == [None, "10.0.2.9"]
    assert isinstance(read_inventory(api)["cilium"], Missing)


def test_odd_objects() -> None:
    """Whatever is absent is left out."""
    assert reduce_cilium_node({}) == CiliumNodeInfo("", (), ())
    odd = {"spec": {"addresses": [{"type": "CiliumInternalIP"}, 7], "ipam": None}}
    assert reduce_cilium_node(odd) == CiliumNodeInfo("", (), ())
