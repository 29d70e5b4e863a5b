"""A hardening script switches IPv4 forwarding off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def inject(node: str) -> Inject:
    """On that node."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
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
        witness.shows(node, "cat", "/proc/sys/net/ipv4/ip_forward", text="0"),
        (Cause(("RTE-09",), (node,), fix="ip_forward"),),
    )
    for node in ("n1", "n3")
]
