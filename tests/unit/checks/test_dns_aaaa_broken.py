"""DNS-15."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.dns_matrix import DnsCell
from tests.unit.checks.firewalls import nft_chain
from tests.unit.dns_answers import Change, endpoints, lost, said, seen, took, upstream
from tests.unit.recorded import findings, outcomes


def aaaa(change: Change, *servers: str) -> Change:
    """Change AAAA questions, to these servers or to all."""
    return lambda c: change(c) if c.type == "AAAA" and c.server in (servers or (c.server,)) else c


def test_dropped_on_one_node() -> None:
    """Every server, from n3 only: that node."""
    (found,) = findings("DNS-15", seen(aaaa(lost), "n3"))
    assert found.nodes == {"n3"}
    assert found.title == "AAAA questions are dropped, A questions are answered"
    assert "AAAA 0/3 answered (3 timeout)" in found.evidence[0].text


@pytest.mark.parametrize("rcode", ["SERVFAIL", "NOTIMP", "REFUSED"])
def test_refused_by_cluster_dns(rcode: str) -> None:
    """All endpoints, from everywhere: one row about the Service."""
    (found,) = findings("DNS-15", seen(aaaa(lambda c: said(c, rcode), *endpoints())))
    assert [s.kind for s in found.subjects] == ["Service"]
    assert "refused" in found.title
    assert "Corefile" in found.fix.text


def test_denied_though_the_name_exists() -> None:
    """NXDOMAIN denies the name, A and all."""
    (found,) = findings("DNS-15", seen(aaaa(lambda c: said(c, "NXDOMAIN"), endpoints()[0])))
    assert "NXDOMAIN" in found.title
    assert found.subjects[0].kind == "Pod"


def test_an_upstream_answers_late() -> None:
    """A at once, AAAA after 800 ms."""
    (found,) = findings("DNS-15", seen(aaaa(lambda c: took(c, 800), upstream())))
    assert "slowly" in found.title


def test_an_empty_answer_is_right() -> None:
    """A name without IPv6; and one that does not exist for either type."""
    assert findings("DNS-15", seen()) == []
    assert findings("DNS-15", seen(lambda c: said(c, "NXDOMAIN"))) == []


def test_a_server_that_is_down_or_lossy_or_slow_for_both() -> None:
    """Other faults."""
    assert findings("DNS-15", seen(lost)) == []
    assert "Skipped" in outcomes("DNS-15", seen(lost))
    assert findings("DNS-15", seen(lambda c: took(c, 400))) == []

    def half(c: DnsCell) -> DnsCell:
        if c.type == "AAAA":
            return lost(c)
        kept = c.sent // 2
        return dataclasses.replace(
            c, answered=kept, rcodes={"NOERROR": kept}, errors={"timeout": 1}
        )

    assert findings("DNS-15", seen(half)) == []


def test_a_pair_that_loses_one_is_another_fault() -> None:
    """The conntrack race takes one of two that leave one socket; alone, AAAA is answered."""
    assert findings("DNS-15", seen(lambda c: lost(c) if c.paired and c.type == "AAAA" else c)) == []


def test_one_late_packet_and_one_answer_of_three() -> None:
    """No pattern."""

    def late(c: DnsCell) -> DnsCell:
        return dataclasses.replace(c, rtt_ms=(900.0, *c.rtt_ms[1:]))

    def one(c: DnsCell) -> DnsCell:
        return dataclasses.replace(
            lost(c), answered=1, rcodes={"NOERROR": 1}, errors={"timeout": 2}, rtt_ms=(0.5,)
        )

    assert findings("DNS-15", seen(aaaa(late))) == []
    assert findings("DNS-15", seen(aaaa(one))) == []


def test_the_cluster_ip_proves_nothing() -> None:
    """Behind it is another endpoint each time."""
    assert findings("DNS-15", seen(aaaa(lost, "198.19.128.10"))) == []


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ({"base": "th", "offset": 160, "len": 16}, True),
        ({"protocol": "udp", "field": "checksum"}, False),
    ],
)
def test_a_rule_without_a_counter_is_named_where_it_reads_the_question(
    where: object, named: bool
) -> None:
    """By bytes at a place: nft has no word for the type."""
    rule = [{"match": {"op": "==", "left": {"payload": where}, "right": 28}}, {"drop": None}]
    (found,) = findings("DNS-15", nft_chain(seen(aaaa(lost), "n3"), "output", rule))
    assert ("nft delete rule inet by_hand outputs handle 4" in found.fix.commands) is named
