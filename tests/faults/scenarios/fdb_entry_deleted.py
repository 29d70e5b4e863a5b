"""A peer's forwarding entry is gone from the VXLAN device of one node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def inject(node: str, peer: str) -> Inject:
    """The entry for that peer."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        shown = lab.on(node, "bridge", "fdb", "show", "dev", "flannel.1").splitlines()
        entry = next(line for line in shown if lab.address(peer) in line.split())
        mac, _, address = entry.split()[:3]
        change = (mac, "dev", "flannel.1", "dst", address)
        lab.on(node, "bridge", "fdb", "del", *change)
        try:
            yield
        finally:
            lab.on(node, "bridge", "fdb", "append", *change, "self", "permanent")

    return fault


SCENARIOS = [
    Scenario(
        f"fdb_entry_deleted-{node}-{peer}",
        inject(node, peer),
        witness.silent(node, witness.tunnel_of(peer)),
        (Cause(("ENC-05",), (node,), place=peer, fix="bridge fdb"),),
    )
    for node, peer in (("n3", "n1"), ("n1", "n2"))
]
