"""The route to a peer's pods is gone, as after a network manager's clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def pod_cidr(lab: Lab, node: str) -> str:
    """The node's pod network."""
    return lab.kubectl("get", "node", node, "-o", "jsonpath={.spec.podCIDR}")


def inject(node: str, peer: str) -> Inject:
    """The route to that peer's pods."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        cidr = pod_cidr(lab, peer)
        route = lab.on(node, "ip", "route", "show", cidr).split()
        lab.on(node, "pkill", "-STOP", "flanneld")
        lab.on(node, "ip", "route", "del", cidr)
        try:
            yield
        finally:
            lab.on(node, "ip", "route", "replace", *route)
            lab.on(node, "pkill", "-CONT", "flanneld")

    return fault


SCENARIOS = [
    Scenario(
        f"pod_route_missing-{node}-{peer}",
        inject(node, peer),
        witness.silent(node, witness.tunnel_of(peer)),
        (Cause(("RTE-01",), (node,), place=peer, fix="ip route"),),
    )
    for node, peer in (("n3", "n1"), ("n1", "n3"))
]
