"""A device that looks into VXLAN takes TCP only."""

from __future__ import annotations

from tests.e2e.transport_faults import tcp_swallowed_in_tunnel
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "tcp_swallowed_in_tunnel",
        tcp_swallowed_in_tunnel,
        witness.every(
            witness.works(witness.unheard("n3", "n1", witness.tunnel_of("n1"))),
            witness.closed("n1", witness.tunnel_of("n3"), 10250),
        ),
        (Cause(("ENC-03",), ("n3",), place=r"TCP", fix=r"another port"),),
    )
]
