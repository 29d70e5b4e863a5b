"""A router on the way has a smaller MTU, and its ICMP is filtered."""

from __future__ import annotations

from tests.e2e.path_mtu_faults import routed_black_hole
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "routed_black_hole",
        routed_black_hole,
        witness.too_large("n1", witness.node_of("n3"), 1500),
        (Cause(("MTU-03",), ("n3",), place=r"1400", fix=r"type 3 code 4"),),
    )
]
