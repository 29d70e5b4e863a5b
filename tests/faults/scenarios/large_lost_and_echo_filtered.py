"""Large packets vanish, and with no echo at all nothing but TCP can tell."""

from __future__ import annotations

from tests.e2e.transport_faults import large_lost_and_echo_filtered
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "large_lost_and_echo_filtered",
        large_lost_and_echo_filtered,
        witness.every(
            witness.silent("n1", witness.node_of("n3")),
            witness.works(witness.closed("n1", witness.node_of("n3"), 10250)),
            witness.unheard(
                "n3", "n1", witness.node_of("n1"), kind="tcp", count=100_000, least=90_000
            ),
        ),
        (Cause(("MTU-03",), ("n3",), place=r"n3 to n1, n2", fix=r"tcp_mtu_probing=1"),),
    )
]
