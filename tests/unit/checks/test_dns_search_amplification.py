"""DNS-01."""

from __future__ import annotations

import dataclasses

import pytest

from tests.unit.dns_answers import UNKNOWN, ZONE, domain, seen, walked
from tests.unit.recorded import findings, outcomes

NODE_DOMAINS = tuple(
    domain(f"{letter}.example", of_node=True, rtt_ms=(120.0, 125.0)) for letter in "abc"
)


def test_search_domains_of_the_node_that_go_upstream() -> None:
    """Measured, with what each domain costs."""
    slow = walked(*NODE_DOMAINS, relative_ms=(495.0, 480.0), absolute_ms=(121.0, 119.0))
    (found,) = findings("DNS-01", seen(n3=slow))
    assert found.nodes == {"n3"}
    assert "4 times slower" in found.title
    assert "14 queries, 480 ms at best" in found.evidence[0].text
    assert "a.example (of the node): median 120 ms" in [e.text for e in found.evidence]
    assert "a.example, b.example, c.example" in found.fix.text


@pytest.mark.parametrize(
    ("relative", "absolute"),
    [
        ((8.0, 7.0), (1.0, 1.1)),  # many times slower, and a few milliseconds
        ((240.0, 245.0), (120.0, 118.0)),  # twice: one search domain, as expected
        ((400.0, 12.0), (3.0, 3.0)),  # one late packet in one walk
        ((300.0, 310.0), (140.0, 145.0)),  # a slow upstream, for both
    ],
)
def test_what_is_no_amplification(relative: tuple[float, ...], absolute: tuple[float, ...]) -> None:
    """The stock setup, and noise."""
    snapshot = seen(n3=walked(*NODE_DOMAINS, relative_ms=relative, absolute_ms=absolute))
    assert findings("DNS-01", snapshot) == []


def test_cluster_dns_itself_is_slow() -> None:
    """Then it is the server and not the list, whatever the sums say."""
    own = tuple(domain(name, rtt_ms=(300.0, 301.0)) for name in ZONE)
    slow = walked(relative_ms=(1200.0, 1210.0), absolute_ms=(1.0, 1.1))
    slow = dataclasses.replace(slow, domains=(*own, *NODE_DOMAINS))
    assert findings("DNS-01", seen(n3=slow)) == []
    assert "Skipped" in outcomes("DNS-01", seen(n3=slow))


def test_a_busy_moment_of_cluster_dns_does_not_hide_it() -> None:
    """One of two steps through the cluster's own domains was late, the node's domains always are."""
    own = tuple(domain(name, rtt_ms=(0.7, 139.0)) for name in ZONE)
    slow = walked(relative_ms=(1200.0, 1210.0), absolute_ms=(1.0, 1.1))
    slow = dataclasses.replace(slow, domains=(*own, *NODE_DOMAINS))
    assert len(findings("DNS-01", seen(n3=slow))) == 1


def test_without_a_domain_of_the_node_there_is_nothing_to_take_out() -> None:
    """The cluster's domains are the stock setup."""
    stock = walked(relative_ms=(260.0, 250.0), absolute_ms=(1.0, 1.1))
    assert findings("DNS-01", seen(n3=stock)) == []


def test_walks_that_did_not_end() -> None:
    """Nothing is known then."""
    cut = walked(relative_ms=(), absolute_ms=(), errors={"timeout": 2})
    assert findings("DNS-01", seen(n3=cut)) == []
    assert "Skipped" in outcomes("DNS-01", seen(n3=cut))
    assert "Skipped" in outcomes("DNS-01", seen(n3=UNKNOWN))
    assert findings("DNS-01", seen()) == []
