"""DNS-06."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.cluster import ConfigMaps
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    outcomes,
)

SECOND = "192.0.2.53"


def second(rcodes: dict[str, int], errors: dict[str, int]) -> Snapshot:
    """n3 has a second resolver that answers like that."""

    def add(fact: DnsProbes) -> DnsProbes:
        more: list[DnsProbe] = []
        for probe in fact.items:
            if probe.role == "node-resolver":
                answered = sum(rcodes.values())
                changed = dataclasses.replace(
                    probe, server=SECOND, sent=10, answered=answered, rcodes=rcodes, errors=errors,
                    rtt_ms=(1.0,) * answered,
                )  # fmt: skip
                more.append(changed)
        return dataclasses.replace(fact, items=(*fact.items, *more))

    return change_node(healthy(), "n3", DnsProbes, add)


@pytest.mark.parametrize("error", ["timeout", "port-unreachable", "neighbour-failed"])
def test_one_of_two_is_dead(error: str) -> None:
    """Named, with the numbers of the one that lives."""
    (found,) = findings("DNS-06", second({}, {error: 10}))
    assert found.nodes == {"n3"}
    assert found.title == f"One of 2 upstream resolvers does not answer: {SECOND}"
    assert any("198.18.0.53 UDP: 10/10" in e.text for e in found.evidence)
    assert findings("DNS-07", second({}, {error: 10})) == []


@pytest.mark.parametrize("rcodes", [{"REFUSED": 10}, {"SERVFAIL": 10}, {"NXDOMAIN": 1}])
def test_an_answer_is_life(rcodes: dict[str, int]) -> None:
    """A resolver that refuses the root's name servers may be fine."""
    assert findings("DNS-06", second(rcodes, {"timeout": 10 - sum(rcodes.values())})) == []


def test_all_dead_is_another_fault() -> None:
    """DNS-07 says it."""

    def die(p: DnsProbe) -> DnsProbe:
        if p.role != "node-resolver":
            return p
        return dataclasses.replace(p, answered=0, rcodes={}, rtt_ms=(), errors={"timeout": p.sent})

    dead = change_node(second({}, {"timeout": 10}), "n3", DnsProbes, change_items(DnsProbes, die))
    assert findings("DNS-06", dead) == []
    assert len(findings("DNS-07", dead)) == 1


def test_a_node_resolver_that_cluster_dns_does_not_use() -> None:
    """The Corefile names others, and they answer or are not known."""

    def other(m: object) -> object:
        text = ".:53 {\n kubernetes cluster.local\n forward . 192.0.2.99\n}"
        return dataclasses.replace(m, data={"Corefile": text})  # type: ignore[type-var]

    named = change_cluster(second({}, {"timeout": 10}), ConfigMaps, change_items(ConfigMaps, other))
    assert findings("DNS-06", named) == []
    assert "Skipped" in outcomes("DNS-06", named)


def test_one_resolver_alone() -> None:
    """The recorded lab."""
    assert findings("DNS-06", healthy()) == []
