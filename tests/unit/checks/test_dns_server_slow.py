"""DNS-20."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.dns_matrix import DnsCell
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes, PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.dns_answers import NODES, endpoints, seen, took, upstream
from tests.unit.recorded import change_items, change_node, findings, healthy, judged, outcomes


def slow(servers: list[str], milliseconds: float, *nodes: str) -> Snapshot:
    """These servers answer that much later, to the named nodes or to all."""

    def cells(c: DnsCell) -> DnsCell:
        return took(c, milliseconds) if c.server in servers else c

    def probes(p: DnsProbe) -> DnsProbe:
        if p.server not in servers:
            return p
        return dataclasses.replace(p, rtt_ms=tuple(ms + milliseconds for ms in p.rtt_ms))

    snapshot = seen(cells, *nodes)
    for node in nodes or NODES:
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, probes))
    return snapshot


def test_one_slow_endpoint_is_its_pod() -> None:
    """The subject is the pod, the evidence has percentiles, and the others for comparison."""
    (found,) = findings("DNS-20", slow(endpoints()[:1], 300))
    assert found.subjects[0].kind == "Pod"
    assert found.severity == "high"
    assert "median 301 ms, 95th percentile" in found.evidence[0].text
    assert any(e.text.startswith("for comparison, 198.18.0.53") for e in found.evidence)
    assert "delete pod coredns-" in found.fix.commands[-1]
    (row,) = judged(slow(endpoints()[:1], 300)).findings
    assert row.finding.id == "DNS-20"


def test_all_endpoints_are_the_service() -> None:
    """One row, and it is not about a pod."""
    (found,) = findings("DNS-20", slow(endpoints(), 150))
    assert [s.kind for s in found.subjects] == ["Service"]
    assert found.severity == "medium"


def test_every_server_from_one_node_is_that_node() -> None:
    """Outside servers too: the asking node is slow."""
    (found,) = findings("DNS-20", slow([*endpoints(), upstream()], 300, "n3"))
    assert found.nodes == {"n3"}
    assert "this node" in found.title
    assert found.confidence == "likely"


def test_a_slow_upstream_shows_that_cluster_dns_is_not() -> None:
    """Where the milliseconds go: not to the endpoints."""
    (found,) = findings("DNS-20", slow([upstream()], 300))
    assert "node's resolver 198.18.0.53" in found.title
    assert found.severity == "medium"
    assert any("for comparison, coredns-" in e.text for e in found.evidence)


def test_only_the_cluster_ip_is_slow() -> None:
    """What lies before the endpoints: reported by itself when no endpoint is slow."""
    (found,) = findings("DNS-20", slow(["198.19.128.10"], 300, "n3"))
    assert found.nodes == {"n3"}
    assert found.title.startswith("Cluster DNS kube-dns")


@pytest.mark.parametrize(("servers", "milliseconds"), [("endpoints", 60), ("upstream", 150)])
def test_not_so_slow(servers: str, milliseconds: float) -> None:
    """A resolver that is a continent away, a pod on a busy node."""
    chosen = endpoints() if servers == "endpoints" else [upstream()]
    assert findings("DNS-20", slow(chosen, milliseconds)) == []


def test_a_tail_is_no_median() -> None:
    """A third of the answers late."""

    def some(c: DnsCell) -> DnsCell:
        late = len(c.rtt_ms) // 3
        return dataclasses.replace(c, rtt_ms=(400.0,) * late + c.rtt_ms[late:])

    assert findings("DNS-20", seen(some)) == []


def test_a_busy_moment_is_no_slow_server() -> None:
    """Recorded on a starved machine: more than half late, in one burst, the others fast."""
    burst = (0.3, 0.4, 0.5, 0.6, 1.0, 9.0, 104.0, 120.0, 133.0, 142.0, 154.0, 178.0, 205.0, 223.0)

    def cells(c: DnsCell) -> DnsCell:
        return dataclasses.replace(c, rtt_ms=burst[: c.sent]) if c.server in endpoints() else c

    def probes(p: DnsProbe) -> DnsProbe:
        return dataclasses.replace(p, rtt_ms=burst[2 : 2 + p.sent])

    snapshot = seen(cells)
    for node in NODES:
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, probes))
    assert findings("DNS-20", snapshot) == []


def test_a_slow_way_is_not_the_servers_fault() -> None:
    """Every packet between these nodes takes as long."""
    snapshot = slow(endpoints(), 200)

    def way(p: PathProbe) -> PathProbe:
        return dataclasses.replace(p, rtt_ms=tuple(ms + 190 for ms in p.rtt_ms))

    for node in NODES:
        snapshot = change_node(snapshot, node, PathProbes, change_items(PathProbes, way))
    own = [f for f in findings("DNS-20", snapshot) if len(f.nodes) > 1]
    assert own == []


def test_nothing_is_claimed_without_the_matrix() -> None:
    """An older agent, or a node without cluster DNS."""
    assert findings("DNS-20", seen()) == []
    assert "Passed" in outcomes("DNS-20", seen())
    assert findings("DNS-20", healthy()) == []
