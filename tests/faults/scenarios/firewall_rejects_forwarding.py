"""No zone of the firewall knows the pod network."""

from __future__ import annotations

from tests.e2e.network_state_faults import firewall_rejects_forwarding
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "firewall_rejects_forwarding",
        firewall_rejects_forwarding,
        witness.shows("n3", "nft", "list", "ruleset", text="admin-prohibited"),
        (
            Cause(
                ("NF-01",),
                ("n3",),
                place=r"filter_by_hand",
                fix=r"nft delete rule inet filter_by_hand",
            ),
        ),
    )
]
