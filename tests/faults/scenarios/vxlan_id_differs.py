"""One node's VXLAN device has another VNI."""

from __future__ import annotations

from tests.e2e.network_state_faults import vxlan_id_differs
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "vxlan_id_differs",
        vxlan_id_differs,
        witness.silent("n1", witness.tunnel_of("n3")),
        (Cause(("ENC-07",), ("n3",), place=r"7", fix=r"ip link del flannel\.1"),),
    )
]
