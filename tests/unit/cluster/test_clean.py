"""`clean`: what interrupted runs left behind."""

from __future__ import annotations

import datetime as dt

import pytest

from kubectl_netdoctor.cluster import manifest
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.clean import clean
from kubectl_netdoctor.cluster.manifest import AgentImage
from tests.unit.cluster.fake_server import FakeServer

IMAGE = AgentImage("agent:1")


@pytest.fixture
def leftovers(server: FakeServer) -> FakeServer:
    """An anchor and two Pods of two runs in two namespaces, one of them new; and a stranger."""
    server.store.add("jobs", manifest.anchor("r1", "a", IMAGE, deadline=9, ttl=0))
    server.store.add("pods", manifest.agent_pod("r1", "n1", "P", "a", IMAGE, deadline=9))
    new = manifest.agent_pod("r2", "n1", "P", "b", IMAGE, deadline=9)
    new["metadata"]["creationTimestamp"] = dt.datetime.now(dt.UTC).isoformat()
    server.store.add("pods", new)
    stranger = {"name": "x", "namespace": "a", "labels": {"app.kubernetes.io/name": "netdoctor"}}
    server.store.add("pods", {"metadata": stranger})
    return server


def left(server: FakeServer) -> list[str]:
    return sorted(o["metadata"]["name"] for o in server.store.objects.values())


def test_everywhere(api: Api, leftovers: FakeServer) -> None:
    """All that carries our label goes, by name, and nothing else."""
    one = manifest.node_hash("n1")

    assert clean(api, None) == [
        "a job/netdoctor-r1",
        f"a pod/netdoctor-r1-{one}",
        f"b pod/netdoctor-r2-{one}",
    ]
    assert left(leftovers) == ["x"]
    assert {r.query.get("gracePeriodSeconds") for r in leftovers.asked("DELETE", "/pods/")} == {"0"}


def test_one_namespace(api: Api, leftovers: FakeServer) -> None:
    """Other namespaces are not touched."""
    assert len(clean(api, ["b"])) == 1
    assert len(left(leftovers)) == 3


def test_old_ones_only(api: Api, leftovers: FakeServer) -> None:
    """A run that is under way is left alone."""
    assert len(clean(api, None, older_than=dt.timedelta(hours=1))) == 2
    assert f"netdoctor-r2-{manifest.node_hash('n1')}" in left(leftovers)
