"""The fabric drops the tunnel's port between two nodes only."""

from __future__ import annotations

from tests.e2e.network_state_faults import vxlan_cut_between_a_pair
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "vxlan_cut_between_a_pair",
        vxlan_cut_between_a_pair,
        witness.silent("n1", witness.tunnel_of("n3")),
        (Cause(("ENC-01",), ("n3",), place=r"n1", fix=r"Open UDP 8472"),),
    )
]
