"""firewalld's default zone rejects all but SSH and ICMP."""

from __future__ import annotations

from tests.e2e.network_state_faults import firewall_rejects_input
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "firewall_rejects_input",
        firewall_rejects_input,
        witness.closed("n1", witness.node_of("n3"), 10250),
        (
            Cause(
                ("NF-02",),
                ("n3",),
                place=r"filter_by_hand",
                fix=r"nft delete rule inet filter_by_hand",
            ),
        ),
    )
]
