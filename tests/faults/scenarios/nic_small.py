"""One node's NIC has another MTU than the others'."""

from __future__ import annotations

from tests.e2e.path_mtu_faults import nic_small
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "nic_small",
        nic_small,
        witness.shows("n3", "cat", "/sys/class/net/eth0/mtu", text="1400"),
        (Cause(("MTU-04",), ("n3",), place=r"1400", fix=r"mtu"),),
    )
]
