"""Packets of the underlay arrive with wrong checksums, for all but the tunnel's."""

from __future__ import annotations

from kubectl_netdoctor.facts.transport import HOST_PORT
from tests.e2e.transport_faults import damaged_below
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "damaged_below",
        damaged_below,
        witness.every(
            witness.works(witness.silent("n1", witness.node_of("n3"))),
            witness.unheard("n3", "n1", witness.node_of("n1"), port=HOST_PORT),
            witness.unheard("n1", "n3", witness.node_of("n3"), kind="tcp", port=HOST_PORT),
        ),
        (Cause(("NIC-05",), ("n3",), place=r"n3 to n1, n2", fix=r"ethtool -K eth0 tx off"),),
    )
]
