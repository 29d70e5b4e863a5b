"""Somebody sets the VXLAN device of a node down: its address is there, its routes are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.vxlan_device import VTEP, vtep_state
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab

NODE = "n2"


@contextmanager
def tunnel_down(lab: Lab) -> Iterator[None]:
    """Routes, neighbours and forwarding entries are written again afterwards."""
    entries = vtep_state(lab, NODE)
    lab.on(NODE, "ip", "link", "set", VTEP, "down")
    try:
        yield
    finally:
        lab.on(NODE, "ip", "link", "set", VTEP, "up")
        for entry in entries:
            lab.on(NODE, *entry)


SCENARIOS = [
    Scenario(
        "tunnel_down",
        tunnel_down,
        witness.every(
            witness.silent("n1", witness.tunnel_of(NODE)),
            witness.works(witness.silent("n1", witness.node_of(NODE))),
        ),
        (Cause(("ENC-08",), (NODE,), place=r"down", fix=r"ip link set flannel.1 up"),),
    )
]
