"""A device that looks into VXLAN takes UDP and TCP, and lets echoes pass."""

from __future__ import annotations

from tests.e2e.transport_faults import swallowed_in_tunnel
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "swallowed_in_tunnel",
        swallowed_in_tunnel,
        witness.every(
            witness.works(witness.silent("n1", witness.tunnel_of("n3"))),
            witness.closed("n1", witness.tunnel_of("n3"), 10250),
            witness.unheard("n3", "n1", witness.tunnel_of("n1")),
        ),
        (Cause(("ENC-03",), ("n3",), place=r"n3 to n1, n2", fix=r"another port"),),
    )
]
