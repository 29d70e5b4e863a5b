"""DNS-07."""

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


def upstreams(rcodes: dict[str, int], errors: dict[str, int]) -> Snapshot:
    """n3's own resolvers with other answers."""

    def change(p: DnsProbe) -> DnsProbe:
        if p.role != "node-resolver":
            return p
        return dataclasses.replace(
            p, sent=10, answered=sum(rcodes.values()), rcodes=rcodes, rtt_ms=(), errors=errors
        )

    return change_node(healthy(), "n3", DnsProbes, change_items(DnsProbes, change))


@pytest.mark.parametrize(
    ("rcodes", "errors"),
    [
        ({}, {"timeout": 10}),
        ({}, {"port-unreachable": 10}),
        ({"SERVFAIL": 10}, {}),
        ({"REFUSED": 4}, {"timeout": 6}),
    ],
)
def test_it_fires_when_nothing_useful_comes_back(
    rcodes: dict[str, int], errors: dict[str, int]
) -> None:
    """Silence, refusal and failure from every upstream are all the same to a client."""
    (found,) = findings("DNS-07", upstreams(rcodes, errors))
    assert found.nodes == {"n3"}
    assert "198.18.0.53" in found.evidence[0].text


@pytest.mark.parametrize("rcodes", [{"NXDOMAIN": 1}, {"NOERROR": 1, "SERVFAIL": 9}])
def test_any_real_answer_is_an_answer(rcodes: dict[str, int]) -> None:
    """A server that does not know the root's NS records is alive."""
    assert findings("DNS-07", upstreams(rcodes, {"timeout": 10 - sum(rcodes.values())})) == []


def test_the_nodes_resolver_does_not_count_where_the_corefile_names_others() -> None:
    """CoreDNS forwards to an address: a dead node resolver is not its upstream."""

    def other(m: object) -> object:
        text = ".:53 {\n kubernetes cluster.local\n forward . 192.0.2.53 {\n }\n}"
        return dataclasses.replace(m, data={"Corefile": text})  # type: ignore[type-var]

    named = change_cluster(
        upstreams({}, {"timeout": 10}), ConfigMaps, change_items(ConfigMaps, other)
    )
    assert findings("DNS-07", named) == []
    assert outcomes("DNS-07", named) == {"Skipped"}
