"""What a node sends is lost when it is large."""

from __future__ import annotations

from tests.e2e.path_mtu_faults import large_lost_one_way
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "large_lost_one_way",
        large_lost_one_way,
        witness.too_large("n1", witness.node_of("n3"), 1500),
        (Cause(("MTU-03",), ("n3",), place=r"n3 to n1, n2(?s:.)*1400 passes", fix=r"mtu 1400"),),
    )
]
