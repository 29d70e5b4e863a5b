"""A peer's neighbour entry is gone from the VXLAN device of one node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def inject(node: str, peer: str) -> Inject:
    """The entry for that peer's tunnel address."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        address = witness.tunnel_of(peer)(lab)
        shown = lab.on(node, "ip", "neigh", "show", address, "dev", "flannel.1").split()
        mac = shown[shown.index("lladdr") + 1]
        lab.on(node, "ip", "neigh", "del", address, "dev", "flannel.1")
        try:
            yield
        finally:
            entry = (address, "lladdr", mac, "dev", "flannel.1", "nud", "permanent")
            lab.on(node, "ip", "neigh", "replace", *entry)

    return fault


SCENARIOS = [
    Scenario(
        f"neighbour_entry_deleted-{node}-{peer}",
        inject(node, peer),
        witness.silent(node, witness.tunnel_of(peer)),
        (Cause(("ENC-05",), (node,), place=peer, fix="ip neigh"),),
    )
    for node, peer in (("n3", "n1"), ("n2", "n3"))
]
