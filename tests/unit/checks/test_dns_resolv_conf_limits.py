"""DNS-09."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    outcomes,
)

FOUR = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "198.18.0.53")


def handed(servers: tuple[str, ...], search: tuple[str, ...] = ()) -> Snapshot:
    """N3's kubelet hands pods such a file."""
    file = ResolvConf("/etc/resolv.conf", servers, search, ())
    return change_node(healthy(), "n3", Resolver, lambda r: dataclasses.replace(r, pods=file))


def test_a_fourth_server_is_advice() -> None:
    """The healthy lab's first resolver answers."""
    (found,) = findings("DNS-09", handed(("198.18.0.53", *FOUR[:3])))
    assert found.severity == "info"
    assert "dropped: 192.0.2.3" in found.evidence[1].text


def test_the_dropped_one_is_the_only_one_that_answers() -> None:
    """Then it is a fault."""
    base = handed(FOUR)

    def add(fact: DnsProbes) -> DnsProbes:
        own = next(p for p in fact.items if p.role == "node-resolver")
        dead: list[DnsProbe] = [
            dataclasses.replace(
                own, server=s, answered=0, rcodes={}, rtt_ms=(), errors={"timeout": own.sent}
            )
            for s in FOUR[:3]
        ]
        return dataclasses.replace(fact, items=(*fact.items, *dead))

    (found,) = findings("DNS-09", change_node(base, "n3", DnsProbes, add))
    assert found.severity == "medium"


def test_the_same_server_twice_counts_once() -> None:
    """A duplicate line does no harm."""
    assert findings("DNS-09", handed((*FOUR[:3], FOUR[0]))) == []


def test_search_domains_over_the_limit_of_their_kubelet() -> None:
    """Seven were too many once, 32 are allowed now."""
    seven = tuple(f"d{n}.example" for n in range(7))
    assert findings("DNS-09", handed(FOUR[:1], seven)) == []
    old = change_cluster(
        handed(FOUR[:1], seven),
        Nodes,
        change_items(Nodes, lambda n: dataclasses.replace(n, kubelet_version="v1.24.17")),
    )
    assert len(findings("DNS-09", old)) == 1
    many = tuple(f"d{n}.example" for n in range(40))
    (found,) = findings("DNS-09", handed(FOUR[:1], many))
    assert found.severity == "info"


def test_an_unreadable_file_is_unknown() -> None:
    """And the healthy lab is silent."""
    gone = change_node(
        healthy(),
        "n3",
        Resolver,
        lambda r: dataclasses.replace(r, pods=Missing(Reason.NOT_PRESENT, "it does not exist")),
    )
    assert findings("DNS-09", gone) == []
    assert "Skipped" in outcomes("DNS-09", gone)
    assert findings("DNS-09", healthy()) == []
