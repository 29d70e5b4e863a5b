"""DHCP hands out a search domain that has a wildcard record."""

from __future__ import annotations

from tests.e2e.dns_faults import search_wildcard
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_search_wildcard",
        search_wildcard,
        witness.shows("n3", "getent", "ahostsv4", "no-such-host.example.org", text="STREAM"),
        (
            Cause(
                ("DNS-10",),
                ("n3",),
                place=r"corp\.example\.com",
                fix=r"Take corp\.example\.com out of the search list",
            ),
        ),
    )
]
