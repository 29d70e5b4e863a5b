"""The cluster's facts: all at once, each failing alone, and nothing that is not listed."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.inventory import read_inventory
from kubectl_netdoctor.facts import cilium as cilium_facts
from kubectl_netdoctor.facts import cluster as cluster_facts
from kubectl_netdoctor.facts import policy_pods
from kubectl_netdoctor.facts.base import FACTS, Missing, Reason
from kubectl_netdoctor.facts.cluster import ConfigMaps, Nodes, Pods, Services, Workloads
from tests.unit.cluster.fake_server import FakeServer, Response, status


@pytest.fixture
def cluster(server: FakeServer) -> FakeServer:
    """Two nodes, one of them with a Lease, and a few things in two namespaces."""
    add = server.store.add
    for name in ("n1", "n2"):
        add("nodes", {"metadata": {"name": name}})
    lease = {"name": "n1", "namespace": "kube-node-lease"}
    add("leases", {"metadata": lease, "spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}})
    for namespace in ("kube-system", "kube-flannel", "shop"):
        add("namespaces", {"metadata": {"name": namespace}})
        add("pods", {"metadata": {"name": "p", "namespace": namespace}})
        add("daemonsets", {"metadata": {"name": "d", "namespace": namespace}})
        add("services", {"metadata": {"name": "s", "namespace": namespace}})
        for name in ("coredns", "kube-flannel-cfg", "private"):
            add("configmaps", {"metadata": {"name": name, "namespace": namespace}})
    return server


@pytest.mark.usefixtures("cluster")
def test_everything(api: Api) -> None:
    """Every cluster fact is there; pods and workloads are those of system namespaces."""
    facts = read_inventory(api)

    modules = {m.__name__ for m in (cluster_facts, cilium_facts, policy_pods)}
    assert facts.keys() == {k for k, f in FACTS.items() if f.cls.__module__ in modules}
    no_cilium = facts.pop("cilium")
    assert isinstance(no_cilium, Missing)
    assert no_cilium.reason is Reason.NOT_PRESENT
    assert all(isinstance(value, FACTS[key].cls) for key, value in facts.items())
    nodes, pods, workloads = facts["nodes"], facts["pods"], facts["workloads"]
    assert isinstance(nodes, Nodes)
    assert [n.lease_renewed for n in nodes.items] == ["2026-01-01T00:00:00.000000Z", None]
    assert isinstance(pods, Pods)
    assert {p.namespace for p in pods.items} == {"kube-system", "kube-flannel"}
    assert isinstance(workloads, Workloads)
    assert {w.namespace for w in workloads.items} == {"kube-system", "kube-flannel"}
    assert isinstance(facts["services"], Services)
    assert len(facts["services"].items) == 3


def test_only_listed_things_are_asked_for(api: Api, cluster: FakeServer) -> None:
    """No Secret, no ConfigMap that is not known by name, nothing of other people's namespaces."""
    config_maps = read_inventory(api)["config_maps"]

    assert isinstance(config_maps, ConfigMaps)
    assert {(c.namespace, c.name) for c in config_maps.items} == {
        ("kube-system", "coredns"),
        ("kube-system", "kube-flannel-cfg"),
        ("kube-flannel", "kube-flannel-cfg"),
    }
    paths = [r.path for r in cluster.requests]
    assert not [p for p in paths if "secret" in p or "/shop/" in p or p.endswith("/configmaps")]
    assert {r.method for r in cluster.requests} == {"GET"}


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ("/nodes$", "nodes"),
        ("/services$", "services"),
        ("/endpointslices$", "endpoint_slices"),
        ("/networkpolicies$", "network_policies"),
        ("/kube-flannel/pods$", "pods"),
        ("/kube-system/deployments$", "workloads"),
        ("/configmaps/coredns$", "config_maps"),
    ],
)
def test_each_fact_fails_alone(api: Api, cluster: FakeServer, pattern: str, key: str) -> None:
    """What RBAC refuses is missing with its words; a part that is refused makes the whole missing."""
    cluster.on("GET", pattern, status(403, "Forbidden", 'User "jane" cannot list it'))

    facts = read_inventory(api)

    assert facts[key] == Missing(Reason.DENIED, 'the API says: User "jane" cannot list it')
    # This cluster has no Cilium, and without policies nobody knows whose egress they isolate.
    also = {"cilium", *(["policy_pods"] if key == "network_policies" else [])}
    assert {k for k, v in facts.items() if isinstance(v, Missing)} == {key, *also}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(404, "NotFound", "no such resource"), Reason.NOT_PRESENT),
        (status(500, "InternalError", "etcd is slow"), Reason.FAILED),
        (Response(200, b"{}" * 999, cut=True), Reason.FAILED),
        (Response(200, hold=5.0), Reason.TIMED_OUT),
        (Response(200, b"[]"), Reason.FAILED),
    ],
)
def test_why_a_fact_is_missing(
    api: Api, cluster: FakeServer, answer: Response, reason: Reason
) -> None:
    """Not there, broken and too slow are three things."""
    api.timeout = (1.0, 0.2)
    cluster.on("GET", "/networkpolicies$", answer)

    found = read_inventory(api)["network_policies"]

    assert isinstance(found, Missing)
    assert found.reason is reason


def test_without_leases(api: Api, cluster: FakeServer) -> None:
    """Nodes are known without their Leases."""
    cluster.on("GET", "/leases$", status(403, "Forbidden", "no"))

    nodes = read_inventory(api)["nodes"]

    assert isinstance(nodes, Nodes)
    assert {n.lease_renewed for n in nodes.items} == {None}


def test_without_a_list_of_namespaces(api: Api, cluster: FakeServer) -> None:
    """Where namespaces cannot be listed, the known ones are tried."""
    cluster.on("GET", "/api/v1/namespaces$", status(403, "Forbidden", "no"))

    pods = read_inventory(api)["pods"]

    assert isinstance(pods, Pods)
    assert {p.namespace for p in pods.items} == {"kube-system", "kube-flannel"}


def test_many_pages(api: Api, cluster: FakeServer) -> None:
    """A cluster of a thousand nodes comes in pages."""
    for number in range(1000):
        cluster.store.add("nodes", {"metadata": {"name": f"m{number}"}})

    nodes = read_inventory(api)["nodes"]

    assert isinstance(nodes, Nodes)
    assert len(nodes.items) == 1002
    assert len(cluster.asked("GET", "/api/v1/nodes$")) == 3
