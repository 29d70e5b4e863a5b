"""A security group lets a node send to the tunnel's port and not receive."""

from __future__ import annotations

from tests.e2e.network_state_faults import vxlan_cut_before_a_node
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "vxlan_cut_before_a_node",
        vxlan_cut_before_a_node,
        witness.silent("n1", witness.tunnel_of("n3")),
        (Cause(("ENC-01",), ("n3",), place=r"", fix=r""),),
    )
]
