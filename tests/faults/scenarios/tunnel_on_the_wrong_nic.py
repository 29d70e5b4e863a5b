"""The CNI chose a NAT interface that no other node reaches."""

from __future__ import annotations

from tests.e2e.network_state_faults import tunnel_on_the_wrong_nic
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "tunnel_on_the_wrong_nic",
        tunnel_on_the_wrong_nic,
        witness.shows("n3", "ip", "-br", "addr", text="10.0.2.15"),
        (Cause(("RTE-05",), ("n3",), place=r"10\.0\.2\.15", fix=r"--iface"),),
    )
]
