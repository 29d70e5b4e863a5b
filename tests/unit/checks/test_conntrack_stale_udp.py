"""CT-04."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.checks.stale_udp import STREAM_TIMEOUT, TIMEOUT
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import EndpointSliceInfo, ServicePort
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import (
    CLUSTER_IP,
    A,
    B,
    C,
    endpoint,
    piece,
    settled,
    shop,
    with_rules,
)
from tests.unit.conntrack_samples import udp, with_flows
from tests.unit.recorded import before, findings, healthy, outcomes, sysctl

PORT = 8125
NODE_PORT = 31125
PODS_ADDRESS = "198.19.2.77"  # of a node's pod range
NODE_ADDRESS = "198.18.0.13"


def statsd(*pieces: EndpointSliceInfo, node_port: int | None = None) -> Snapshot:
    """The lab with a UDP Service, not written for long."""
    return settled(bare(*pieces, node_port=node_port))


def bare(*pieces: EndpointSliceInfo, node_port: int | None = None) -> Snapshot:
    """The same, and nobody knows since when."""
    port = ServicePort("statsd", "UDP", PORT, str(PORT), node_port)
    return shop(*pieces, ports=(port,), type="NodePort" if node_port else "ClusterIP")


def backends(*addresses: str, **more: Any) -> EndpointSliceInfo:
    """Its slice."""
    return piece(*(endpoint(a, **more) for a in addresses), ports={"statsd": f"UDP/{PORT}"})


def timeouts(snapshot: Snapshot) -> Snapshot:
    """The kernel's own values."""
    return sysctl(sysctl(snapshot, "n3", TIMEOUT, "30"), "n3", STREAM_TIMEOUT, "120")


def test_packets_to_a_gone_backend_fire() -> None:
    """Another backend is there, the socket is still sent to the old one, which nothing lists."""
    (found,) = findings("CT-04", with_flows(statsd(backends(A)), translated=(udp(),)))
    assert found.nodes == {"n3"}
    assert found.severity is Severity.HIGH
    assert found.confidence is Confidence.CERTAIN
    assert "shop/web" in found.title
    said = found.evidence[0].text
    assert f"is sent to {C}:{PORT}: one entry, never answered, packets came inside" in said
    assert f"has now {A}:{PORT}" in said
    assert found.fix.commands == (
        f"conntrack -D -p udp --orig-dst {CLUSTER_IP} --orig-port-dst {PORT} --reply-src {C}",
    )


def test_a_service_without_endpoints_fires() -> None:
    """What kube-proxy leaves out."""
    (found,) = findings("CT-04", with_flows(statsd(backends()), translated=(udp(),)))
    assert "has no endpoint now" in found.evidence[0].text


def test_a_node_port_fires() -> None:
    """The client asked for the node's own address."""
    asked = udp(destination=NODE_ADDRESS, port=NODE_PORT)
    snapshot = with_flows(statsd(backends(A), node_port=NODE_PORT), translated=(asked,))
    assert len(findings("CT-04", snapshot)) == 1


def test_an_entry_used_since_the_change_fires_between_two_packets() -> None:
    """Nothing came in the window, but the time left says that a packet came 11 s ago."""
    quiet = udp(refreshed=0, left_unassured=19)
    snapshot = timeouts(with_flows(statsd(backends(A)), translated=(quiet,)))
    (found,) = findings("CT-04", snapshot)
    assert "last packet 11 s ago" in found.evidence[0].text


def test_another_services_backend_is_likely() -> None:
    """A live pod has the address: it may even answer."""
    other = dataclasses.replace(piece(endpoint(C), name="api-1"), service="api")
    (found,) = findings("CT-04", with_flows(statsd(backends(A), other), translated=(udp(),)))
    assert found.confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param({}, id="ready"),
        pytest.param({"ready": False}, id="unready"),
        pytest.param({"ready": False, "serving": True, "terminating": True}, id="draining"),
    ],
)
def test_what_the_service_lists_is_silent(kept: dict[str, Any]) -> None:
    """Ready or not, it is the Service's backend."""
    right = udp(backend=A)
    assert findings("CT-04", with_flows(statsd(backends(A, **kept)), translated=(right,))) == []


def test_entries_that_nobody_renews_are_silent() -> None:
    """No packet in the window, and none is known since the change: it will expire."""
    left = udp(refreshed=0, left_unassured=7)
    unknown = statsd(backends(A))
    for name in (TIMEOUT, STREAM_TIMEOUT):
        unknown = sysctl(unknown, "n3", name, Missing(Reason.NOT_PRESENT, "no such parameter"))
    assert findings("CT-04", with_flows(unknown, translated=(left,))) == []
    # Its last packet came 23 s ago, with the kernel's own 30 s; the change is younger, or older.
    young = timeouts(settled(bare(backends(A)), written=before(healthy(), 10)))
    assert findings("CT-04", with_flows(young, translated=(left,))) == []
    old = timeouts(statsd(backends(A)))
    assert len(findings("CT-04", with_flows(old, translated=(left,)))) == 1


def test_a_change_of_just_now_is_inconclusive() -> None:
    """kube-proxy may be about to delete the entry."""
    young = settled(bare(backends(A)), written=healthy().run.started)
    snapshot = with_flows(young, translated=(udp(),))
    assert findings("CT-04", snapshot) == []
    assert "Skipped" in outcomes("CT-04", snapshot)


def test_a_service_that_was_deleted_fires_by_the_rules() -> None:
    """No Service has the address, no rule leads to the pod, and packets come."""
    orphan = udp(destination="10.96.250.1", backend=PODS_ADDRESS)
    (found,) = findings("CT-04", with_flows(statsd(backends(A)), translated=(orphan,)))
    assert found.severity is Severity.MEDIUM
    assert "no rule leads there any more" in found.evidence[0].text


def test_a_host_port_with_its_rule_is_silent() -> None:
    """The rule of portmap leads to the pod."""
    rule = f"nat CNI-DN-1 -p udp -m udp --dport 5140 -j DNAT --to-destination {PODS_ADDRESS}:{PORT}"
    flow = udp(destination=NODE_ADDRESS, port=5140, backend=PODS_ADDRESS)
    snapshot = with_flows(with_rules(statsd(backends(A)), [rule]), translated=(flow,))
    assert findings("CT-04", snapshot) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(udp(destination="203.0.113.1", backend="192.0.2.1"), id="no pod"),
        pytest.param(
            udp(destination="10.96.250.1", backend=PODS_ADDRESS, refreshed=0), id="unused"
        ),
    ],
)
def test_what_others_translate_is_silent(other: Any) -> None:
    """Docker, a VPN, a user's own rule: not ours to judge."""
    assert findings("CT-04", with_flows(statsd(backends(A)), translated=(other,))) == []


def test_nothing_translated_is_silent() -> None:
    """Also with two backends that are both right."""
    flows = (udp(backend=A), udp(backend=B))
    assert findings("CT-04", with_flows(statsd(backends(A, B)), translated=flows)) == []
    assert findings("CT-04", with_flows()) == []
