"""Forwarding is on for the node, and off for the pods' bridge alone."""

from __future__ import annotations

from tests.e2e.companion_faults import bridge_does_not_forward
from tests.e2e.resident import NAME
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "bridge_does_not_forward",
        bridge_does_not_forward,
        witness.every(
            witness.silent("n1", witness.field("pod", NAME, "status.podIP")),
            witness.works(witness.silent("n1", witness.tunnel_of("n3"))),
        ),
        (Cause(("RTE-09",), ("n3",), place=r"cni0", fix=r"conf\.cni0\.forwarding=1"),),
    )
]
