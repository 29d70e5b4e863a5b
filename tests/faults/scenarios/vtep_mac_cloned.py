"""A node publishes a peer's VTEP MAC, as a clone of that machine does."""

from __future__ import annotations

from tests.e2e.network_state_faults import vtep_mac_cloned
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "vtep_mac_cloned",
        vtep_mac_cloned,
        witness.silent("n2", witness.tunnel_of("n3")),
        (Cause(("ENC-06",), ("n3",), place=r"VTEP MAC .*n1, n3", fix=r"identity"),),
    )
]
