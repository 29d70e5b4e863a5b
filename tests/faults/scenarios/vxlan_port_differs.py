"""One node's CNI agent was started with another VXLAN port."""

from __future__ import annotations

from tests.e2e.network_state_faults import vxlan_port_differs
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "vxlan_port_differs",
        vxlan_port_differs,
        witness.silent("n1", witness.tunnel_of("n3")),
        (Cause(("ENC-07",), ("n3",), place=r"4789", fix=r"ip link del flannel\.1"),),
    )
]
