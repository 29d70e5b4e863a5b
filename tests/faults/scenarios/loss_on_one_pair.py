"""5 % of what a node sends to one other node is lost."""

from __future__ import annotations

from tests.e2e.transport_faults import loss_on_one_pair
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "loss_on_one_pair",
        loss_on_one_pair,
        witness.every(
            witness.unheard("n3", "n1", witness.node_of("n1"), count=400, least=5),
            witness.works(witness.unheard("n3", "n2", witness.node_of("n2"), count=400, least=1)),
        ),
        (Cause(("NIC-03",), ("n1", "n3"), place=r"n3 -> n1", fix=r"switch port"),),
    )
]
