"""DNS-21."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.companions import with_companions, without_companions
from tests.unit.recorded import change_items, change_node, dns_written, findings, healthy, outcomes

ID = "DNS-21"


def answered(probe: DnsProbe, count: int) -> DnsProbe:
    """The probe with so many answers."""
    return dataclasses.replace(
        probe,
        answered=count,
        rtt_ms=(1.0,) * count,
        rcodes={"NOERROR": count} if count else {},
        errors={"timeout": probe.sent - count} if count < probe.sent else {},
    )


def from_pod(snapshot: Snapshot, chosen: Callable[[DnsProbe], bool], count: int = 0) -> Snapshot:
    """Chosen queries from n3's pod are answered only so often."""

    def change(fact: PodProbes) -> PodProbes:
        dns = tuple(answered(p, count) if chosen(p) else p for p in fact.dns)
        return dataclasses.replace(fact, dns=dns)

    return change_node(snapshot, "n3", PodProbes, change)


def test_pods_get_no_answer_at_all() -> None:
    """The node does: its pods' way is broken."""
    (found,) = findings(ID, from_pod(with_companions(), lambda _: True))
    assert found.nodes == {"n3"}
    assert "0/10 from a pod" in found.evidence[0].text
    assert found.title.startswith("Pods get no answer")


def test_the_cluster_ip_loses_what_endpoints_answer() -> None:
    """Half of the queries: those whose endpoint is on the same bridge."""
    half = from_pod(with_companions(), lambda p: p.role == "service" and p.transport == "udp", 5)
    (found,) = findings(ID, half)
    assert "through the ClusterIP" in found.title


def test_a_rollout_of_cluster_dns_is_silent() -> None:
    """The pod asks some seconds after the node: the endpoint may be gone by then."""
    lost = from_pod(with_companions(), lambda _: True)
    assert findings(ID, dns_written(lost, -3)) == []
    assert outcomes(ID, dns_written(lost, -3)) == {"Skipped"}
    assert len(findings(ID, dns_written(lost, 3))) == 1


def test_two_lost_queries_are_silent() -> None:
    """Chance is no fault."""
    few = from_pod(with_companions(), lambda p: p.role == "service", 8)
    assert findings(ID, few) == []


def test_what_the_node_does_not_get_either_is_another_fault() -> None:
    """A dead endpoint, a cut overlay."""
    dead = from_pod(with_companions(), lambda _: True)
    dead = change_node(
        dead, "n3", DnsProbes, change_items(DnsProbes, lambda p: answered(p, p.sent - 1))
    )
    assert findings(ID, dead) == []


def test_healthy_and_unknown() -> None:
    """Silent where all is answered; skipped without companions."""
    assert outcomes(ID, with_companions()) == {"Passed"}
    assert outcomes(ID, without_companions(healthy())) == {"Skipped"}
