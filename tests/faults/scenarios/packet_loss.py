"""Packets are lost at random: what arrives at a node, what it sends, on one link or on all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab
from tests.lab.spec import RACK


def inject(node: str, percent: int, hook: str = "ingress", where: str = "") -> Inject:
    """On the node's NIC, or on its switch port (where the names of the directions change)."""
    device = f"sw0-{node}" if where else "eth0"

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        place = where or node
        chain = f"{{ type filter hook {hook} device {device} priority 0; }}"
        lab.on(place, "nft", "add", "table", "netdev", "loss")
        lab.on(place, "nft", f"add chain netdev loss at {chain}")
        lab.on(
            place, "nft", f"add rule netdev loss at numgen random mod 100 < {percent} counter drop"
        )
        try:
            yield
        finally:
            lab.on(place, "nft", "delete", "table", "netdev", "loss")

    return fault


def scenario(name: str, node: str, percent: int, hook: str, where: str = "") -> Scenario:
    """A share of the packets; a window long enough to be sure of it."""
    peer = "n2" if node != "n2" else "n1"
    towards = (hook == "ingress") != bool(where)
    place = rf"to {node}\b" if towards else rf"^{node} to "
    fix = "switch port" if where else "nft delete rule netdev loss"
    return Scenario(
        f"packet_loss-{name}",
        inject(node, percent, hook, where),
        witness.lossy(peer, witness.node_of(node), least=max(1, percent * 60 // 250)),
        (Cause(("NIC-03",), (node,), place=place, fix=fix),),
        scan=("--all-nodes", "--window", "5s") if percent < 20 else ("--all-nodes",),
    )


SCENARIOS = [
    scenario("30-arriving-n3", "n3", 30, "ingress"),
    scenario("30-leaving-n1", "n1", 30, "egress"),
    scenario("10-on-the-wire-n2", "n2", 10, "ingress", RACK),
    scenario("50-on-the-wire-n3", "n3", 50, "egress", RACK),
]
