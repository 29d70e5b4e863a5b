"""A switch port has a smaller MTU than the NIC behind it."""

from __future__ import annotations

from tests.e2e.path_mtu_faults import switch_port_small
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "switch_port_small",
        switch_port_small,
        witness.too_large("n1", witness.node_of("n3"), 1500),
        (Cause(("MTU-03",), ("n3",), place=r"140\d", fix=r"MTU of what lies between|mtu 140\d"),),
    )
]
