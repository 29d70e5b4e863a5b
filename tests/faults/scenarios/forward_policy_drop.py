"""Docker sets the policy of FORWARD to DROP, and the CNI does not put its accepting rules back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab

ACCEPTS = ("FORWARD", "-m", "comment", "--comment", "flanneld forward", "-j", "FLANNEL-FWD")


def inject(node: str) -> Inject:
    """On that node."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        lab.on(node, "pkill", "-STOP", "flanneld")
        lab.on(node, "iptables", "-D", *ACCEPTS)
        lab.on(node, "iptables", "-P", "FORWARD", "DROP")
        try:
            yield
        finally:
            lab.on(node, "iptables", "-P", "FORWARD", "ACCEPT")
            lab.on(node, "iptables", "-A", *ACCEPTS)
            lab.on(node, "pkill", "-CONT", "flanneld")

    return fault


SCENARIOS = [
    Scenario(
        f"forward_policy_drop-{node}",
        inject(node),
        witness.shows(node, "iptables", "-S", "FORWARD", text="-P FORWARD DROP"),
        (Cause(("NF-01",), (node,), place="FORWARD", fix="FORWARD"),),
    )
    for node in ("n1", "n3")
]
