"""DNS-22."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes, PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.transport import TransportProbes
from tests.unit.checks.test_dns_server_slow import on_cpus
from tests.unit.dns_answers import NODES, endpoints, seen
from tests.unit.recorded import (
    change_items,
    change_node,
    dns_written,
    findings,
    healthy,
    outcomes,
    without,
)

ID = "DNS-22"


def losing(lost: int, servers: list[str], *nodes: str) -> Snapshot:
    """So many of the 24 questions of these nodes to these servers get no answer; CPUs are idle."""
    snapshot = seen()

    def change(p: DnsProbe) -> DnsProbe:
        if p.server not in servers or p.transport != "udp":
            return p
        kept = p.sent - lost
        return dataclasses.replace(
            p,
            answered=kept,
            rtt_ms=p.rtt_ms[:kept],
            rcodes={"NOERROR": kept},
            errors={"timeout": lost} if lost else {},
        )

    for node in nodes:
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, change))
    return on_cpus(snapshot)


def test_one_node_loses_questions_to_one_endpoint() -> None:
    """The node and the pod are named, with what speaks against the others."""
    (found,) = findings(ID, losing(8, endpoints()[:1], "n3"))
    assert found.nodes == {"n3"}
    assert f"answered by {endpoints()[0]}" in found.evidence[0].text
    assert any(endpoints()[1] in e.text and e.node == "n3" for e in found.evidence)


def test_an_endpoint_that_loses_questions_of_all() -> None:
    """The pod and its node, not those that asked."""
    (found,) = findings(ID, losing(8, endpoints()[:1], *NODES))
    assert [s.kind for s in found.subjects] == ["Pod", "Node"]
    assert "from every node" in found.scope


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_some_lost_questions_are_chance(lost: int) -> None:
    """A busy moment."""
    assert findings(ID, losing(lost, endpoints(), *NODES)) == []


def test_a_lossy_path_is_another_fault() -> None:
    """NIC-03's or ENC-10's: questions share it."""

    def change(p: PathProbe) -> PathProbe:
        part = (p.sent + 1) // 2
        return dataclasses.replace(p, received=part, rtt_ms=p.rtt_ms[:part])

    snapshot = without(losing(8, endpoints(), *NODES), TransportProbes)
    for node in NODES:
        snapshot = change_node(snapshot, node, PathProbes, change_items(PathProbes, change))
    assert findings(ID, snapshot) == []


def test_a_starved_node_is_not_blamed_on_dns() -> None:
    """Everything from a node without CPU is late; one endpoint in time speaks for the node."""
    every = losing(8, endpoints(), "n3")
    assert len(findings(ID, every)) == 1
    assert findings(ID, on_cpus(every, "n3")) == []
    one = on_cpus(losing(8, endpoints()[:1], "n3"), "n3")
    assert len(findings(ID, one)) == 1


def test_a_rollout_is_silent() -> None:
    """Endpoints that go during the run lose questions."""
    lost = dns_written(losing(8, endpoints()[:1], "n3"), -3)
    assert findings(ID, lost) == []
    assert outcomes(ID, lost) == {"Skipped"}


def test_a_healthy_lab_is_silent() -> None:
    """As recorded."""
    assert findings(ID, healthy()) == []
    assert outcomes(ID, healthy()) == {"Passed"}
