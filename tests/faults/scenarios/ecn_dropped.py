"""A node asks for ECN, and something on the way takes such SYNs for an attack."""

from __future__ import annotations

from tests.e2e.transport_faults import ecn_dropped
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "ecn_dropped",
        ecn_dropped,
        witness.every(
            witness.closed("n3", witness.node_of("n1"), 10250),  # the second SYN has no ECN: 1 s
            witness.works(witness.closed("n1", witness.node_of("n3"), 10250)),
        ),
        (Cause(("TCP-01",), ("n3",), place=r"ECN", fix=r"tcp_ecn"),),
    )
]
