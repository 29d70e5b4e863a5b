"""DNS-19."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.link import Address, Addresses
from kubectl_netdoctor.facts.resolver import KubeletDns, Resolver
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.dns_answers import Change, all_cells, lost, matrix, put, said, seen
from tests.unit.recorded import change_node, findings, healthy, outcomes

WRONG = "198.19.128.99"


def told(*servers: str, zone: str | None = "cluster.local") -> Snapshot:
    """N3's kubelet hands out these."""
    settings = KubeletDns("/etc/resolv.conf" if zone else None, servers, zone)
    return change_node(
        healthy(), "n3", Resolver, lambda r: dataclasses.replace(r, kubelet=settings)
    )


def asked(snapshot: Snapshot, server: str, change: Change) -> Snapshot:
    """N3 asked that server as well."""
    cells = tuple(change(c) for c in all_cells(server, "pod-resolver"))
    fact = matrix()
    return put(snapshot, "n3", DnsMatrix(1.0, (*fact.items, *cells), fact.search, ()))


def test_an_address_that_answers_nothing() -> None:
    """Certain: set so, and silent."""
    (found,) = findings("DNS-19", asked(told(WRONG), WRONG, lost))
    assert found.nodes == {"n3"}
    assert found.confidence == "certain"
    assert "0/14 answered" in found.evidence[-1].text
    assert "198.19.128.10" in found.fix.text


def test_another_clusters_dns() -> None:
    """It answers, and knows nothing of this cluster."""
    foreign = asked(told(WRONG), WRONG, lambda c: said(c, "NXDOMAIN"))
    assert len(findings("DNS-19", foreign)) == 1


def test_without_the_matrix_it_is_likely() -> None:
    """The configuration alone."""
    (found,) = findings("DNS-19", told(WRONG))
    assert found.confidence == "likely"


def test_nothing_set_though_the_file_was_read() -> None:
    """Event MissingClusterDNS."""
    (found,) = findings("DNS-19", told())
    assert found.title == "The kubelet hands pods no cluster DNS"


@pytest.mark.parametrize(
    "servers", [("198.19.128.10",), ("169.254.20.10",), ("192.0.2.10", "198.19.128.10")]
)
def test_what_is_right(servers: tuple[str, ...]) -> None:
    """ClusterIP, NodeLocal DNSCache, one of several."""
    assert findings("DNS-19", told(*servers)) == []


def test_a_resolver_of_ones_own_that_answers() -> None:
    """Somebody's choice."""
    assert findings("DNS-19", asked(told(WRONG), WRONG, lambda c: c)) == []


def test_a_cache_on_an_address_of_the_node() -> None:
    """Also where it is not link-local."""

    def bind(fact: Addresses) -> Addresses:
        return Addresses((*fact.items, Address("nodelocaldns", 4, WRONG, 32, "global")))

    assert findings("DNS-19", change_node(told(WRONG), "n3", Addresses, bind)) == []


def test_a_kubelet_that_could_not_be_read() -> None:
    """Unknown, not wrong."""
    unread = told(zone=None)
    assert findings("DNS-19", unread) == []
    assert "Skipped" in outcomes("DNS-19", unread)
    gone = Missing(Reason.NOT_PRESENT, "no kubelet process")
    k3s = change_node(healthy(), "n3", Resolver, lambda r: dataclasses.replace(r, kubelet=gone))
    assert "Skipped" in outcomes("DNS-19", k3s)
    assert findings("DNS-19", seen()) == []
