"""A leftover route drops what is for half of a peer's pods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.faults.scenarios.pod_route_missing import pod_cidr
from tests.lab import Lab


def inject(node: str, peer: str, kind: str) -> Inject:
    """For the lower half of that peer's pod network."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        half = pod_cidr(lab, peer).replace("/24", "/25")
        lab.on(node, "ip", "route", "add", kind, half)
        try:
            yield
        finally:
            lab.on(node, "ip", "route", "del", kind, half)

    return fault


SCENARIOS = [
    Scenario(
        f"pod_route_{kind}-{node}",
        inject(node, peer, kind),
        witness.shows(node, "ip", "route", text=kind),
        (Cause(("RTE-02",), (node,), place=kind, fix="ip route del"),),
    )
    for node, peer, kind in (("n3", "n1", "blackhole"), ("n2", "n1", "unreachable"))
]
