"""DNS-13."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.dns_matrix import DnsCell
from tests.unit.checks.firewalls import nft_chain
from tests.unit.dns_answers import Change, endpoints, lost, said, seen, upstream
from tests.unit.recorded import findings, outcomes


def large(change: Change, *servers: str) -> Change:
    """Change what has a large answer over UDP, from these servers or from all."""

    def apply(c: DnsCell) -> DnsCell:
        big = c.filler == "padding" and c.transport == "udp" and c.payload != 512
        return change(c) if big and c.server in (servers or (c.server,)) else c

    return apply


def edns(c: DnsCell) -> bool:
    """Whether a question carries EDNS, over UDP."""
    return c.transport == "udp" and c.payload is not None


def test_lost_on_one_node() -> None:
    """Every server, from n3 only."""
    (found,) = findings("DNS-13", seen(large(lost), "n3"))
    assert found.nodes == {"n3"}
    assert found.severity == "medium"
    assert "0/5 answered (5 timeout) (746 bytes over TCP)" in found.evidence[0].text


def test_lost_where_tcp_is_blocked_too() -> None:
    """Then the truncated answer is the witness that there is a large one."""

    def both(c: DnsCell) -> DnsCell:
        return lost(c) if c.transport == "tcp" else large(lost)(c)

    assert len(findings("DNS-13", seen(both, "n3"))) == 1


def test_one_upstream_is_a_hint() -> None:
    """Cluster DNS asks it with what its clients ask for."""
    (found,) = findings("DNS-13", seen(large(lost, upstream())))
    assert found.severity == "low"


def test_edns_itself_is_lost_or_fails() -> None:
    """Also small answers, as soon as the question has an OPT record."""
    (found,) = findings("DNS-13", seen(lambda c: lost(c) if edns(c) else c, "n3"))
    assert found.title == "DNS questions with EDNS are lost"
    failing = seen(lambda c: said(c, "SERVFAIL") if edns(c) and c.server in endpoints() else c)
    assert len(findings("DNS-13", failing)) == 1


def test_large_queries_that_die_are_another_fault() -> None:
    """The control is lost as well: it is the way there, not the answer."""
    assert findings("DNS-13", seen(lambda c: lost(c) if c.filler != "none" else c)) == []


def test_a_server_that_does_not_pad_is_not_judged() -> None:
    """No answer above 512 bytes is known: silence about it proves nothing."""

    def small(c: DnsCell) -> DnsCell:
        if c.filler != "padding":
            return c
        kept = dataclasses.replace(c, truncated=0, sizes=(110,) * c.sent)
        return kept if c.transport == "tcp" or c.payload == 512 else lost(kept)

    assert findings("DNS-13", seen(small)) == []


def test_one_large_answer_is_enough() -> None:
    """Loss is not this fault."""

    def one(c: DnsCell) -> DnsCell:
        return dataclasses.replace(
            lost(c), answered=1, rcodes={"NOERROR": 1}, errors={"timeout": c.sent - 1}, sizes=(746,)
        )

    assert findings("DNS-13", seen(large(one))) == []


def test_a_server_without_edns_says_so() -> None:
    """FORMERR is how an old server answers EDNS; clients ask again without."""
    old = seen(lambda c: said(c, "FORMERR") if edns(c) else c)
    assert findings("DNS-13", old) == []


def test_a_dead_server_is_another_fault() -> None:
    """Nothing is answered at all."""
    assert findings("DNS-13", seen(lost)) == []
    assert outcomes("DNS-13", seen(lost)) == {"Skipped"}
    assert findings("DNS-13", seen()) == []


# In nft's JSON.
SOURCE = {
    "match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "sport"}}, "right": 53}
}
LONG = {
    "match": {"op": ">", "left": {"payload": {"protocol": "udp", "field": "length"}}, "right": 520}
}
OWNER = {"match": {"op": "==", "left": {"socket": {"key": "wildcard"}}, "right": 1}}


@pytest.mark.parametrize(
    ("reads", "moved", "named"),
    [
        (LONG, 5, True),
        (LONG, None, True),  # nft counts only where it is told to
        (LONG, 0, False),
        (OWNER, 5, True),
        (OWNER, None, False),
    ],
)
def test_the_rule_that_takes_them_is_named(reads: object, moved: int | None, named: bool) -> None:
    """It took packets in the window; without a counter, it reads their length."""
    rule = [SOURCE, reads, {"drop": None}]
    snapshot = nft_chain(seen(large(lost), "n3"), "input", rule, moved=moved)
    (found,) = findings("DNS-13", snapshot)
    assert ("nft delete rule inet by_hand inputs handle 4" in found.fix.commands) is named
    assert any("nft rule inet by_hand inputs" in e.text for e in found.evidence) is named
