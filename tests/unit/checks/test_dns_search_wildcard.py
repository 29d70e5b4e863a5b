"""DNS-10."""

from __future__ import annotations

import dataclasses

from tests.unit.dns_answers import UNKNOWN, domain, seen, walked
from tests.unit.recorded import findings, outcomes

ADDRESS = "203.0.113.7"


def test_every_random_label_resolves() -> None:
    """A wildcard; only n3 has the search domain."""
    wild = domain("corp.example", of_node=True, rcodes={"NOERROR": 4}, addresses=(ADDRESS,))
    (found,) = findings("DNS-10", seen(n3=walked(wild)))
    assert found.nodes == {"n3"}
    assert f"corp.example: 2 of 2 answered, all with {ADDRESS}" in found.evidence[0].text
    assert findings("DNS-01", seen(n3=walked(wild))) == []


def test_a_resolver_that_invents_addresses() -> None:
    """It answers for every name: not the search domain's fault."""
    wild = domain("corp.example", of_node=True, rcodes={"NOERROR": 4}, addresses=(ADDRESS,))
    lying = seen(n3=walked(wild, invented=(ADDRESS,)))
    assert findings("DNS-10", lying) == []
    assert "Skipped" in outcomes("DNS-10", lying)


def test_a_search_domain_without_wildcard() -> None:
    """NXDOMAIN, or NOERROR without an address (an empty non-terminal)."""
    plain = domain("corp.example", of_node=True)
    empty = domain("b.example", of_node=True, rcodes={"NOERROR": 4})
    assert findings("DNS-10", seen(n3=walked(plain, empty))) == []


def test_one_label_of_two_is_no_wildcard() -> None:
    """Somebody may own that name."""
    odd = domain(
        "corp.example", of_node=True, rcodes={"NOERROR": 2, "NXDOMAIN": 2}, addresses=(ADDRESS,)
    )
    once = domain(
        "b.example", of_node=True, rcodes={"NOERROR": 2}, addresses=(ADDRESS,), rtt_ms=(0.5,)
    )
    assert findings("DNS-10", seen(n3=walked(odd, once))) == []


def test_a_domain_that_hardly_answers_is_unknown() -> None:
    """One address is too little to claim it, and too much to call it well."""
    few = domain(
        "corp.example", of_node=True, rcodes={"NOERROR": 1}, addresses=(ADDRESS,), rtt_ms=(1.3,)
    )
    unsure = seen(n3=walked(dataclasses.replace(few, errors={"timeout": 5})))
    assert findings("DNS-10", unsure) == []
    assert "Skipped" in outcomes("DNS-10", unsure)
    denied = domain("corp.example", of_node=True, rcodes={"NXDOMAIN": 1}, rtt_ms=(1.3,))
    assert "Skipped" not in outcomes("DNS-10", seen(n3=walked(denied)))


def test_without_a_walk_it_is_unknown() -> None:
    """And a healthy lab is silent."""
    unknown = seen(n3=UNKNOWN)
    assert findings("DNS-10", unknown) == []
    assert "Skipped" in outcomes("DNS-10", unknown)
    assert findings("DNS-10", seen()) == []
