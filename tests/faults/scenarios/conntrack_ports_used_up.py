"""A rule translates sixty connections to one server into fifty ports."""

from __future__ import annotations

from tests.e2e.conntrack_faults import SERVER, SERVER_PORT, ports_used_up
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "conntrack_ports_used_up",
        ports_used_up,
        witness.every(
            witness.closed("n3", witness.node_of(SERVER), SERVER_PORT),
            witness.works(witness.closed("n2", witness.node_of(SERVER), SERVER_PORT)),
        ),
        (
            Cause(
                ("CT-05",),
                ("n3",),
                place=r"18099/tcp are used up",
                fix=r"--to-ports 40000-40049|widen",
            ),
        ),
    )
]
