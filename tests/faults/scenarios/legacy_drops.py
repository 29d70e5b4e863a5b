"""A hardening script writes its DROP into the other iptables backend."""

from __future__ import annotations

from tests.e2e.network_state_faults import legacy_drops
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "legacy_drops",
        legacy_drops,
        witness.shows("n3", "iptables-legacy", "-S", text="DROP"),
        (Cause(("NF-03",), ("n3",), place=r"iptables-legacy", fix=r"iptables-legacy"),),
    )
]
