"""TCP-01: every connection of a node that asks for ECN needs a second SYN."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.transport import TransportPath
from tests.unit.recorded import findings, outcomes, sysctl
from tests.unit.transport_samples import measured, no_tcp, udp


def seen(*milliseconds: float, ecn: int = 1, lost: int = 0) -> Snapshot:
    """What n3 saw of its connections to the others."""

    def change(path: TransportPath) -> TransportPath:
        slow = dataclasses.replace(path.tcp, connect_ms=milliseconds, connected=len(milliseconds))
        return dataclasses.replace(path, tcp=slow, udp=udp(100, lost))

    slow = measured({("n3", "n1", "node"): change, ("n3", "n2", "node"): change})
    return sysctl(slow, "n3", "net.ipv4.tcp_ecn", str(ecn))


def test_every_connection_is_late() -> None:
    """The node, its setting and the time."""
    (found,) = findings("TCP-01", seen(1012.0, 1009.0, 1030.0))
    assert found.nodes == {"n3"}
    assert "the fastest in 1009 ms; 100 of 100 UDP" in found.evidence[1].text
    assert found.fix.commands == ("sysctl -w net.ipv4.tcp_ecn=2",)


@pytest.mark.parametrize("ecn", [0, 2])
def test_a_node_that_asks_nobody_is_silent(ecn: int) -> None:
    """The default."""
    assert findings("TCP-01", seen(1012.0, 1009.0, 1030.0, ecn=ecn)) == []


def test_one_quick_connection_is_proof_enough() -> None:
    """ECN passes; a SYN was lost by chance."""
    assert findings("TCP-01", seen(1012.0, 0.1, 1030.0)) == []


def test_loss_is_no_question_of_ecn() -> None:
    """UDP is lost too."""
    assert findings("TCP-01", seen(1012.0, 1009.0, 1030.0, lost=20)) == []


def test_a_filtered_port_is_unknown() -> None:
    """No connection at all says nothing of ECN."""

    def filtered(path: TransportPath) -> TransportPath:
        return dataclasses.replace(path, tcp=no_tcp())

    closed = measured({("n3", "n1", "node"): filtered, ("n3", "n2", "node"): filtered})
    asking = sysctl(closed, "n3", "net.ipv4.tcp_ecn", "1")
    assert findings("TCP-01", asking) == []
    assert "Skipped" in outcomes("TCP-01", asking)
