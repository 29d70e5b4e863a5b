"""DNS-03."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.cluster import EndpointSlices
from kubectl_netdoctor.facts.dns_cpu import DnsCpu, DnsCpus
from kubectl_netdoctor.facts.dns_matrix import DnsCell
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.dns_answers import seen
from tests.unit.pod_sockets import NODES, add
from tests.unit.recorded import (
    change_items,
    change_node,
    cluster_fact,
    findings,
    healthy,
    judged,
    outcomes,
    without,
)


def address_on(node: str) -> tuple[str, str]:
    """Address and pod of the DNS endpoint on a node."""
    for piece in cluster_fact(healthy(), EndpointSlices).of("kube-system", "kube-dns"):
        for end in piece.endpoints:
            if end.node == node:
                return end.addresses[0], end.pod or ""
    raise LookupError(node)


ADDRESS, POD = address_on("n3")


def throttled(
    throttled: int = 8,
    periods: int = 10,
    *,
    late: float = 90.0,
    host_name: str = POD,
    lost: int = 0,
) -> Snapshot:
    """The DNS pod on n3 with these counters; every third answer of it comes late, or none."""

    def cells(c: DnsCell) -> DnsCell:
        if c.server != ADDRESS or c.transport != "udp" or c.type == "AAAA":
            return c
        kept = max(0, c.sent - lost)
        times = tuple(late if n % 3 == 0 else 0.5 for n in range(kept))
        errors = {"timeout": c.sent - kept} if kept < c.sent else {}
        return dataclasses.replace(
            c, rtt_ms=times, answered=kept, rcodes={"NOERROR": kept}, errors=errors
        )

    def probes(p: DnsProbe) -> DnsProbe:
        return dataclasses.replace(p, rtt_ms=(0.5,) * p.answered)

    snapshot = seen(cells)
    for node in NODES:
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, probes))
        cpu = DnsCpu(host_name, 0.05, periods, throttled, 640.0)
        snapshot = add(snapshot, node, DnsCpus(1.0, (cpu,) if node == "n3" else ()))
    return snapshot


def test_counters_and_late_answers_together_fire() -> None:
    """The pod and its node, with the numbers of both sides."""
    (found,) = findings("DNS-03", throttled())
    assert [s.name for s in found.subjects] == [f"kube-system/{POD}", "n3"]
    assert "throttled in 8 of 10 periods, 640 ms in all, limit 0.05 CPUs" in found.evidence[0].text
    assert "95th percentile 90 ms" in found.evidence[1].text


def test_a_slow_server_is_explained_by_it() -> None:
    """DNS-20 about the same pod is folded under the cause."""
    rows = judged(throttled(late=400.0)).findings
    assert rows[0].finding.id == "DNS-03"
    assert all(r.caused_by for r in rows[1:])


def test_lost_answers_count_as_late() -> None:
    """Who has no CPU for a second does not answer."""
    assert findings("DNS-03", throttled(late=0.5, lost=2))


@pytest.mark.parametrize(
    "snapshot",
    [
        throttled(late=5.0),
        throttled(throttled=2),
        throttled(throttled=3, periods=4),
        throttled(throttled=0),
        throttled(host_name="another-coredns-of-somebody"),
    ],
    ids=[
        "nobody notices",
        "below the share",
        "too few periods",
        "slow for another reason",
        "not cluster DNS",
    ],
)
def test_look_alikes(snapshot: Snapshot) -> None:
    """Each alone is no finding."""
    assert findings("DNS-03", snapshot) == []


def test_a_pod_on_the_host_network_is_known_by_its_node() -> None:
    """Its host name is the node's."""
    assert findings("DNS-03", throttled(host_name="n3"))


def test_without_the_fact_nothing_is_claimed() -> None:
    """An older agent."""
    assert outcomes("DNS-03", without(healthy(), DnsCpus)) == {"Skipped"}


def test_the_recorded_lab_is_judged_and_silent() -> None:
    """Its DNS pods have their counters, and nobody waits."""
    assert outcomes("DNS-03", healthy()) == {"Passed"}
