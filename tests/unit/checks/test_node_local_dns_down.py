"""DNS-11."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix
from kubectl_netdoctor.facts.resolver import KubeletDns, Resolver
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.dns_answers import Change, all_cells, endpoints, lost, matrix, put, seen
from tests.unit.recorded import change_node, findings, outcomes

CACHE = "169.254.20.10"


def cached(change: Change, *servers: str, others: Change = lambda c: c) -> Snapshot:
    """N3's pods ask the cache, which answers like that."""
    settings = KubeletDns("/etc/resolv.conf", servers or (CACHE,), "cluster.local")
    snapshot = change_node(
        seen(), "n3", Resolver, lambda r: dataclasses.replace(r, kubelet=settings)
    )
    cells = tuple(change(c) for c in all_cells(CACHE, "pod-resolver"))
    fact = matrix(others)
    return put(snapshot, "n3", DnsMatrix(1.0, (*fact.items, *cells), fact.search, ()))


def test_nobody_answers_there() -> None:
    """And cluster DNS does."""
    (found,) = findings("DNS-11", cached(lost))
    assert found.nodes == {"n3"}
    texts = [e.text for e in found.evidence]
    assert f"{CACHE} is bound to no interface" in texts
    assert any(t.startswith(endpoints()[0]) for t in texts)
    assert findings("DNS-19", cached(lost)) == []


def test_it_answers() -> None:
    """Whatever its interface says, and whatever the rcode."""
    assert findings("DNS-11", cached(lambda c: c)) == []


def test_one_answer_is_an_answer() -> None:
    """Loss is not this fault."""

    def one(c: DnsCell) -> DnsCell:
        return dataclasses.replace(c, answered=1, errors={"timeout": c.sent - 1})

    assert findings("DNS-11", cached(one)) == []


def test_a_reserve_beside_it() -> None:
    """The libc goes on to the ClusterIP."""
    assert findings("DNS-11", cached(lost, CACHE, "198.19.128.10")) == []


def test_nothing_of_dns_answers() -> None:
    """Then it is not the cache."""
    dead = cached(lost, others=lost)
    assert findings("DNS-11", dead) == []
    assert "Skipped" in outcomes("DNS-11", dead)


def test_a_cluster_without_the_cache() -> None:
    """The recorded lab."""
    assert findings("DNS-11", seen()) == []
