"""A hardening script switches IPv4 forwarding off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.resident import NAME, resident
from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def inject(node: str) -> Inject:
    """On that node, which has a pod."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        with resident(lab, node):  # first: the bridge plugin switches forwarding on for each pod
            lab.on(node, "sysctl", "-qw", "net.ipv4.ip_forward=0")
            try:
                yield
            finally:
                lab.on(node, "sysctl", "-qw", "net.ipv4.ip_forward=1")

    return fault


SCENARIOS = [
    Scenario(
        f"ip_forward_off-{node}",
        inject(node),
        witness.silent("n2", witness.field("pod", NAME, "status.podIP")),
        (Cause(("RTE-09",), (node,), place=r"forwarding is off", fix=r"ip_forward=1"),),
    )
    for node in ("n1", "n3")
]
