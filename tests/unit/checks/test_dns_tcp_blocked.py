"""DNS-12."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.dns_matrix import DnsCell
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.dns_answers import NODES, endpoints, seen, upstream
from tests.unit.recorded import change_items, change_node, findings, healthy, outcomes


def blocked(
    servers: list[str], *nodes: str, error: str = "timeout", transport: str = "tcp", sent: int = 3
) -> Snapshot:
    """These servers answer nothing over that transport to the named nodes, or to all."""

    def change(p: DnsProbe) -> DnsProbe:
        if p.server not in servers or p.transport not in transport.split():
            return p
        return dataclasses.replace(
            p, sent=sent, answered=0, rcodes={}, rtt_ms=(), errors={error: sent}
        )

    def cells(c: DnsCell) -> DnsCell:
        if c.server not in servers or c.transport not in transport.split():
            return c
        return dataclasses.replace(
            c, answered=0, rcodes={}, rtt_ms=(), sizes=(), errors={error: c.sent}
        )

    snapshot = seen(cells, *nodes)
    for node in nodes or NODES:
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, change))
    return snapshot


SERVICE = "198.19.128.10"


def test_one_large_answer_over_tcp_proves_the_port_open() -> None:
    """Lost connections of a busy moment are no filter."""
    snapshot = blocked([SERVICE, *endpoints()], "n3")
    assert findings("DNS-12", snapshot)

    def change(p: DnsProbe) -> DnsProbe:
        if p.transport != "tcp":
            return p
        return dataclasses.replace(p, answered=0, rcodes={}, rtt_ms=(), errors={"timeout": p.sent})

    busy = change_node(seen(), "n3", DnsProbes, change_items(DnsProbes, change))
    own = [f for f in findings("DNS-12", busy) if f.nodes == {"n3"}]
    assert own == []


def test_a_firewall_on_one_node() -> None:
    """All servers, from n3 only; and that truncated answers cannot be had."""
    (found,) = findings("DNS-12", blocked([SERVICE, *endpoints(), upstream()], "n3"))
    assert found.nodes == {"n3"}
    assert found.severity == "medium"
    assert any("comes truncated over UDP" in e.text for e in found.evidence)


def test_all_endpoints_from_everywhere() -> None:
    """A NetworkPolicy that allows UDP only: the Service, one row."""
    (found,) = findings("DNS-12", blocked([SERVICE, *endpoints()]))
    assert [s.kind for s in found.subjects] == ["Service"]


def test_a_service_without_the_tcp_port() -> None:
    """The endpoints answer, the ClusterIP refuses."""
    found = findings("DNS-12", blocked([SERVICE], error="refused"))
    assert len(found) == 1
    assert "get service kube-dns" in found[0].fix.commands[0]


def test_a_resolver_outside_is_a_hint() -> None:
    """Not every resolver of a provider serves TCP."""
    (found,) = findings("DNS-12", blocked([upstream()], error="refused"))
    assert found.severity == "low"
    assert found.confidence == "likely"


def test_a_dead_server_is_another_fault() -> None:
    """UDP is unanswered as well."""
    dead = blocked(endpoints(), transport="udp tcp")
    assert findings("DNS-12", dead) == []
    everything = blocked([SERVICE, *endpoints(), upstream()], transport="udp tcp")
    assert outcomes("DNS-12", everything) == {"Skipped"}


def test_healthy_and_too_few_queries() -> None:
    """Two unanswered queries prove nothing."""
    assert findings("DNS-12", healthy()) == []
    assert findings("DNS-12", blocked(endpoints(), sent=2)) == []


def test_a_server_that_is_slow_is_not_blocked() -> None:
    """The connection was there: the port is open, and whether it answers is not known."""
    busy = blocked([SERVICE, *endpoints()], "n3", error="stalled", sent=5)
    assert findings("DNS-12", busy) == []
    assert outcomes("DNS-12", busy) == {"Skipped"}


def test_one_handshake_among_silence_is_an_open_port() -> None:
    """A filter takes every connection; a server that is short of CPU takes one now and then."""

    def change(p: DnsProbe) -> DnsProbe:
        if p.transport != "tcp":
            return p
        errors = {"stalled": 1, "timeout": p.sent - 1}
        return dataclasses.replace(p, answered=0, rcodes={}, rtt_ms=(), errors=errors)

    busy = blocked([SERVICE, *endpoints(), upstream()], "n3")
    assert findings("DNS-12", busy)
    slow = change_node(busy, "n3", DnsProbes, change_items(DnsProbes, change))
    assert findings("DNS-12", slow) == []
    assert outcomes("DNS-12", slow) == {"Skipped"}
