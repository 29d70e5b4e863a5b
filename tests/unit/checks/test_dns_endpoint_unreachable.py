"""DNS-05."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_items,
    change_node,
    dns_written,
    findings,
    healthy,
    node_fact,
    outcomes,
    recorded,
)


def endpoints() -> list[str]:
    """Addresses of the recorded DNS pods."""
    probes = node_fact(healthy(), "n3", DnsProbes).items
    return sorted({p.server for p in probes if p.role == "endpoint"})


def silent(
    snapshot: Snapshot, node: str, server: str, transport: str = "udp", answers: int = 0
) -> Snapshot:
    """One node's queries to one server unanswered but for a few."""

    def change(p: DnsProbe) -> DnsProbe:
        if (p.server, p.transport) != (server, transport):
            return p
        return dataclasses.replace(
            p, answered=answers, rcodes={"NOERROR": answers} if answers else {},
            rtt_ms=p.rtt_ms[:answers], errors={"timeout": p.sent - answers},
        )  # fmt: skip

    return change_node(snapshot, node, DnsProbes, change_items(DnsProbes, change))


def test_the_recorded_fault_names_the_rule() -> None:
    """Dropped by a rule on the asking node: that rule is the fix."""
    (found,) = findings("DNS-05", recorded("dns_endpoint_dropped"))
    assert found.nodes == {"n3"}
    assert found.fix.commands[0].startswith("iptables-nft -t filter -D OUTPUT -d ")


def test_dead_from_everywhere_is_the_pod() -> None:
    """A column: subjects are the pod and its node, not all the nodes that asked."""
    dead = healthy()
    for node in ("n1", "n2", "n3"):
        dead = silent(dead, node, endpoints()[0])
    (found,) = findings("DNS-05", dead)
    assert found.subjects[0].kind == "Pod"
    assert len(found.nodes) == 1
    assert "every node that asked" in found.scope
    assert found.fix.commands[0].startswith("kubectl -n kube-system delete pod coredns-")


def test_a_rollout_of_cluster_dns_is_silent() -> None:
    """A pod that was replaced during the run is not dead; one replaced just before it is."""
    dead = silent(healthy(), "n3", endpoints()[0])
    assert findings("DNS-05", dns_written(dead, -3)) == []
    assert outcomes("DNS-05", dns_written(dead, -3)) == {"Skipped"}
    assert len(findings("DNS-05", dns_written(dead, 3))) == 1


def test_one_answer_is_an_answer() -> None:
    """Loss is not this fault."""
    assert findings("DNS-05", silent(healthy(), "n3", endpoints()[0], answers=1)) == []


def test_tcp_alone_is_another_fault() -> None:
    """TCP 53 blocked while UDP works is not an endpoint that is dead."""
    assert findings("DNS-05", silent(healthy(), "n3", endpoints()[0], "tcp")) == []


def test_two_queries_prove_nothing() -> None:
    """Fewer probes than three are no evidence."""

    def few(p: DnsProbe) -> DnsProbe:
        return dataclasses.replace(
            p, sent=2, answered=0, rcodes={}, rtt_ms=(), errors={"timeout": 2}
        )

    assert (
        findings("DNS-05", change_node(healthy(), "n3", DnsProbes, change_items(DnsProbes, few)))
        == []
    )
