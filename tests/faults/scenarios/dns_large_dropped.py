"""A firewall knows DNS as it was before EDNS."""

from __future__ import annotations

from tests.e2e.dns_faults import large_dropped
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_large_dropped",
        large_dropped,
        witness.shows("n3", "nft", "list", "tables", text="olddns"),
        (
            Cause(
                ("DNS-13",), ("n3",), place=r"above 512 bytes", fix=r"nft delete rule inet olddns"
            ),
        ),
    )
]
