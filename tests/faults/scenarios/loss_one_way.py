"""5 % of what a node sends is lost; what is sent to it arrives."""

from __future__ import annotations

from tests.e2e.transport_faults import loss_one_way
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "loss_one_way",
        loss_one_way,
        witness.every(
            witness.unheard("n3", "n1", witness.node_of("n1"), count=400, least=5),
            witness.unheard("n3", "n2", witness.node_of("n2"), count=400, least=5),
            witness.works(witness.unheard("n1", "n3", witness.node_of("n3"), count=400, least=1)),
        ),
        (Cause(("NIC-03",), ("n3",), place=r"n3 to n1, n2", fix=r"switch port"),),
    )
]
