"""SVC-04."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.cluster import EndpointInfo, EndpointSliceInfo, EndpointSlices
from kubectl_netdoctor.facts.pod_namespaces import Listener, PodNamespace, PodNamespaces
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.pod_sockets import NODES, change_pods, pod, with_pods
from tests.unit.recorded import (
    before,
    change_cluster,
    findings,
    healthy,
    judged,
    outcomes,
    without,
)

ADDRESS = "198.19.2.30"
OLD = "2026-11-23T18:00:00Z"


def shop(
    *listeners: Listener,
    port: str = "TCP/8080",
    written: str | None = OLD,
    age: float = 600.0,
    tables: tuple[str, ...] = (),
    ready: bool | None = True,
    terminating: bool | None = None,
    node: str | None = "n3",
) -> Snapshot:
    """A Service of one pod on n3 with these sockets."""
    one = dataclasses.replace(pod("shop-1", ADDRESS, *listeners), age_seconds=age, tables=tables)
    end = EndpointInfo((ADDRESS,), ready, ready, terminating, node, "shop-1")
    piece = EndpointSliceInfo("shop", "shop-x", "shop", "IPv4", {"http": port}, (end,))
    snapshot = change_cluster(
        with_pods(one), EndpointSlices, lambda s: EndpointSlices((*s.items, piece))
    )
    change = ServiceChange("shop", "shop", written, None, hints=False)
    return change_cluster(
        snapshot, ServiceChanges, lambda s: dataclasses.replace(s, items=(*s.items, change))
    )


def test_a_wrong_target_port_names_the_right_ones() -> None:
    """It listens on 80, the Service says 8080."""
    snapshot = shop(Listener("0.0.0.0", 80), Listener("127.0.0.1", 9000))
    (found,) = findings("SVC-04", snapshot)
    assert [s.name for s in found.subjects] == ["shop/shop", "n3"]
    assert found.evidence[0].text.endswith("nothing listens on TCP 8080; it listens on 80")
    assert found.evidence[0].node == "n3"
    (row,) = judged(snapshot).findings
    assert row.finding.id == "SVC-04"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_only_says_so(address: str) -> None:
    """The usual default of development servers."""
    (found,) = findings("SVC-04", shop(Listener(address, 8080)))
    assert "port 8080 of its loopback only" in found.evidence[0].text


@pytest.mark.parametrize("address", ["0.0.0.0", "::", ADDRESS])
def test_a_socket_for_others_is_enough(address: str) -> None:
    """All addresses of one family or both, or the pod's own."""
    assert findings("SVC-04", shop(Listener(address, 8080), Listener("::", 1))) == []


@pytest.mark.parametrize(
    "snapshot",
    [
        shop(Listener("::", 80), age=20.0),
        shop(Listener("::", 80), tables=("istio",)),
        shop(Listener("::", 80), written=before(healthy(), 59)),
        shop(Listener("::", 80), written=None),
        shop(Listener("::", 80), port="UDP/8080"),
        shop(Listener("::", 80), ready=False),
        shop(Listener("::", 80), terminating=True),
        shop(Listener("::", 80), node="n9"),
        shop(Listener("::", 80), node=None),
        shop(),
    ],
    ids=[
        "the program may still start",
        "a mesh redirects",
        "written just now",
        "nobody knows when it was written",
        "UDP",
        "not ready",
        "terminating",
        "a node that was not asked",
        "no node",
        "a sandbox with its own stack",
    ],
)
def test_what_cannot_be_judged_is_left_alone(snapshot: Snapshot) -> None:
    """Each of these has no socket on that port, and may serve it."""
    assert findings("SVC-04", snapshot) == []


def test_the_healthy_cluster_is_judged_and_silent() -> None:
    """Cluster DNS listens on 53 and on 9153."""
    assert outcomes("SVC-04", with_pods()) == {"Passed"}
    assert outcomes("SVC-04", healthy()) == {"Passed"}
    assert outcomes("SVC-04", without(healthy(), PodNamespaces)) == {"Skipped"}


def test_pods_that_say_nothing_leave_the_question_open() -> None:
    """All of them in a mesh: neither a finding nor a pass."""

    def meshed(one: PodNamespace) -> PodNamespace:
        return dataclasses.replace(one, tables=("nat",))

    snapshot = with_pods()
    for name in NODES:
        snapshot = change_pods(snapshot, meshed, name)
    assert outcomes("SVC-04", snapshot) == {"Skipped"}
