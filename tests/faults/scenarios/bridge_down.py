"""Somebody sets the pods' bridge of a node down: the node is well, its pods are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.resident import NAME, resident
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab


@contextmanager
def bridge_down(lab: Lab) -> Iterator[None]:
    """With a pod on it."""
    with resident(lab, "n3"):
        lab.on("n3", "ip", "link", "set", "cni0", "down")
        try:
            yield
        finally:
            lab.on("n3", "ip", "link", "set", "cni0", "up")


SCENARIOS = [
    Scenario(
        name,
        bridge_down,
        witness.every(
            witness.silent("n1", witness.field("pod", NAME, "status.podIP")),
            witness.silent("n3", witness.field("pod", NAME, "status.podIP")),
            witness.works(witness.silent("n1", witness.tunnel_of("n3"))),
        ),
        (Cause(("RTE-14",), ("n3",), place=r"cni0", fix=r"link set cni0 up"),),
        scan=scan,
    )
    # The CNI plugin of a pod that starts, such as a companion, sets the bridge up again.
    for name, scan in (
        ("bridge_down", ("--all-nodes",)),
        ("bridge_down-seen-from-the-node", ("--all-nodes", "--no-companion")),
    )
]
