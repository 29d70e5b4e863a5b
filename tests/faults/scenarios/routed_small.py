"""A router on the way has links of a smaller MTU, and says so."""

from __future__ import annotations

from tests.e2e.path_mtu_faults import routed_small
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "routed_small",
        routed_small,
        witness.too_large("n1", witness.node_of("n3"), 1500),
        (Cause(("MTU-02",), ("n3",), place=r"1400", fix=r"set eth0 mtu 1400"),),
    )
]
