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
        (Cause(("ENC-01",), ("n3",), place=r"lost on the way n1, n2 to n3", fix=r"Open UDP 8472"),),
    )
]
