"""Something gives the VXLAN device another MAC address."""

from __future__ import annotations

from tests.e2e.network_state_faults import vtep_mac_changed
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "vtep_mac_changed",
        vtep_mac_changed,
        witness.silent("n1", witness.tunnel_of("n3")),
        (
            Cause(
                ("ENC-04",),
                ("n3",),
                place=r"flannel\.1 has 02:00:5e:00:00:99",
                fix=r"ip link set flannel\.1 address",
            ),
        ),
    )
]
