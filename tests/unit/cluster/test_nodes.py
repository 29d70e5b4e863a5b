"""Which nodes are asked, and which are past asking."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kubectl_netdoctor.cluster import reach
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.reduce import reduce_node
from kubectl_netdoctor.cluster.select import select_nodes
from kubectl_netdoctor.errors import ApiDenied, UsageError
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from tests.unit.cluster.fake_server import FakeServer, status

NOW = dt.datetime(2026, 1, 1, 12, 0, 0, tzinfo=dt.UTC)


def node(name: str, ready: str = "True", lease: str | None = "11:59:55", **parts: Any) -> NodeInfo:
    """A Node whose Ready condition changed at noon less a minute."""
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T11:59:00Z"}]
    labels = {"kubernetes.io/os": "linux", **parts.get("labels", {})}
    obj = {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": parts.get("taints", [])},
        "status": {"conditions": conditions},
    }
    renewed = None if lease is None else f"2026-01-01T{lease}.000000Z"
    values = {f: getattr(reduce_node(obj), f) for f in NodeInfo.__slots__}
    return NodeInfo(**{**values, "lease_renewed": renewed})


THREE = Nodes((node("worker-1"), node("worker-2"), node("control-1")))


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (node("n"), None),
        (node("n", "False"), None),  # the kubelet is there: a broken CNI is what we look for
        (
            node("n", "Unknown", "11:58:20"),
            "NotReady since 2026-01-01T11:59:00Z: the kubelet stopped posting status",
        ),
        (
            node("n", "Unknown", None),
            "NotReady since 2026-01-01T11:59:00Z: the kubelet stopped posting status",
        ),
        (node("n", "Unknown", "11:59:30"), None),  # its Lease is newer than its condition
        (
            node("n", labels={"kubernetes.io/os": "windows"}),
            "it runs windows; the agent needs Linux",
        ),
        (
            node("n", labels={"type": "virtual-kubelet"}),
            "it is a virtual node: there is no host to look at",
        ),
        (
            node("n", taints=[{"key": "virtual-kubelet.io/provider", "value": "azure"}]),
            "it is a virtual node: there is no host to look at",
        ),
        (
            node("n", labels={"eks.amazonaws.com/compute-type": "fargate"}),
            "it is a Fargate node: there is no host to look at",
        ),
    ],
)
def test_unreachable(info: NodeInfo, why: str | None) -> None:
    """Hopeless nodes have their reason; a NotReady node with a live kubelet is asked."""
    assert reach.unreachable(Nodes((info,)), NOW) == ({} if why is None else {"n": why})


@pytest.mark.parametrize("stamp", [None, "", "yesterday", "2026-01-01T00:00:00"])
def test_odd_times(stamp: str | None) -> None:
    """A time that is none is no age."""
    assert reach.since(stamp, NOW) is None


def test_by_name(api: Api) -> None:
    """In the order given, each once."""
    names = ("worker-2", "worker-1", "worker-2")
    assert select_nodes(api, THREE, names=names) == ("worker-2", "worker-1")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("worker-3", "did you mean worker-2, worker-1"),
        ("control", "did you mean control-1"),
        ("zzz", "there is, for example, worker-1, worker-2, control-1"),
    ],
)
def test_an_unknown_name(api: Api, name: str, hint: str) -> None:
    """Close names are offered."""
    with pytest.raises(UsageError, match=f"there is no node '{name}'") as caught:
        select_nodes(api, THREE, names=(name,))

    assert caught.value.hint == hint


def test_by_label(api: Api, server: FakeServer) -> None:
    """The API server knows all labels; the order is the cluster's."""
    for name in ("worker-2", "worker-1"):
        server.store.add("nodes", {"metadata": {"name": name, "labels": {"pool": "x"}}})

    assert select_nodes(api, THREE, selector="pool=x") == ("worker-1", "worker-2")
    with pytest.raises(UsageError, match="no node has the labels 'pool=y'"):
        select_nodes(api, THREE, selector="pool=y")

    server.on("GET", "/nodes$", status(400, "BadRequest", "unable to parse requirement"))
    with pytest.raises(UsageError, match="unable to parse requirement"):
        select_nodes(api, THREE, selector="pool in")


def test_all_and_none(api: Api) -> None:
    """Without a choice the answer says how to choose, with a real name."""
    assert select_nodes(api, THREE, everything=True) == ("worker-1", "worker-2", "control-1")

    with pytest.raises(UsageError, match=r"which nodes\? The cluster has 3 nodes") as caught:
        select_nodes(api, THREE)
    assert "--node worker-1" in str(caught.value.hint)

    with pytest.raises(UsageError, match="the cluster has no nodes"):
        select_nodes(api, Nodes(()), everything=True)


def test_nodes_that_may_not_be_listed(api: Api) -> None:
    """Names are taken at their word; anything else needs the list."""
    denied = Missing(Reason.DENIED, "the API says: no")

    assert select_nodes(api, denied, names=("n1", "n1")) == ("n1",)
    with pytest.raises(ApiDenied, match="cannot be listed: the API says: no"):
        select_nodes(api, denied, everything=True)
