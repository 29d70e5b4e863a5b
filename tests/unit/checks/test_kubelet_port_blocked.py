"""NF-05."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.cluster import Nodes, Pods
from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot
from tests.unit.checks.firewalls import iptables_rule
from tests.unit.recorded import change_cluster, change_items, findings, healthy, outcomes


def with_status(status: NodeStatus, reason: str | None) -> Snapshot:
    """n3 with another status."""
    nodes = tuple(
        dataclasses.replace(n, status=status, reason=reason) if n.name == "n3" else n
        for n in healthy().nodes
    )
    return dataclasses.replace(healthy(), nodes=nodes)


def test_a_summary_without_a_log_fires() -> None:
    """The log request's own error is the evidence."""
    (found,) = findings(
        "NF-05", with_status(NodeStatus.SUMMARY, "dial tcp 198.18.0.13:10250: i/o timeout")
    )
    assert found.nodes == {"n3"}
    assert "10250: i/o timeout" in found.evidence[0].text


@pytest.mark.parametrize("status", [NodeStatus.ANSWERED, NodeStatus.NOT_REACHED, NodeStatus.FAILED])
def test_anything_else_is_silent(status: NodeStatus) -> None:
    """A node that never ran an agent proves nothing about its kubelet's port."""
    assert findings("NF-05", with_status(status, "x")) == []


UNREAD = "the API server could not read the log from the kubelet, port 10250: "


@pytest.mark.parametrize(
    "said",
    [
        "no answer within 10 s; asked again: no answer within 5 s",
        "dial tcp 198.18.0.13:10250: connect: connection refused",
        "dial tcp 198.18.0.13:10250: connect: no route to host",
    ],
)
def test_silence_and_refusals_fire(said: str) -> None:
    """Nobody took the connection."""
    (found,) = findings("NF-05", with_status(NodeStatus.SUMMARY, UNREAD + said))
    assert found.severity is Severity.HIGH


@pytest.mark.parametrize(
    "reason",
    [
        f"{UNREAD}net/http: TLS handshake timeout",
        f"{UNREAD}no complete log within 10 s",
        f"{UNREAD}x509: certificate signed by unknown authority",
        "this user may not read the log: pods/log is forbidden",
        "the API server is too busy to read the log: try again",
        "the Pod was deleted by somebody else",
        "the report is cut off (812 bytes of log)",
        "its log could not be read in time (interrupted)",
        None,
    ],
)
def test_a_log_that_is_missing_for_another_reason_is_no_blocked_port(reason: str | None) -> None:
    """A slow kubelet, a missing right, no time left: not known, and said so."""
    missing = with_status(NodeStatus.SUMMARY, reason)
    assert findings("NF-05", missing) == []
    assert "Skipped" in outcomes("NF-05", missing)


NEW = "-p tcp -m tcp --dport 10250 -m conntrack --ctstate NEW -j REJECT"


def test_a_rule_for_new_connections_fires_although_the_log_arrived() -> None:
    """The open connection of the API server hides it; medium until it closes."""
    (found,) = findings("NF-05", iptables_rule(healthy(), "nft", "INPUT", NEW))
    assert found.nodes == {"n3"}
    assert found.severity is Severity.MEDIUM
    assert "rejects the API server's requests" in found.title
    assert "from the API server 198.18.0.1" in found.evidence[0].text


def test_a_rule_for_others_is_silent() -> None:
    """Port 10250 is for the control plane and nobody else."""
    fenced = iptables_rule(healthy(), "nft", "INPUT", f"-s 198.18.0.11/32 {NEW}")
    assert findings("NF-05", fenced) == []


def test_an_api_server_that_comes_through_a_tunnel_is_silent() -> None:
    """It never dials the node's address."""
    closed = iptables_rule(healthy(), "nft", "INPUT", NEW)
    k3s = change_cluster(
        closed, Nodes,
        change_items(Nodes, lambda n: dataclasses.replace(n, kubelet_version="v1.34.4+k3s1")),
    )  # fmt: skip
    assert findings("NF-05", k3s) == []
    agents = change_cluster(
        closed, Pods,
        lambda p: Pods((*p.items, dataclasses.replace(p.items[0], name="konnectivity-agent-x"))),
    )  # fmt: skip
    assert findings("NF-05", agents) == []
