"""The API server's port is dropped for the pods of one node; the node itself reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.resident import NAME, resident
from tests.e2e.vxlan_device import pod_cidr
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab
from tests.lab.spec import GATEWAY

NODE = "n2"


@contextmanager
def api_port_dropped_for_pods(lab: Lab) -> Iterator[None]:
    """With a pod to see it from."""
    ends = ("-s", pod_cidr(lab, NODE), "-p", "tcp", "--dport", "6443")
    rule = ("FORWARD", *ends, "-j", "DROP")
    with resident(lab, NODE):
        lab.on(NODE, "iptables", "-I", *rule)
        try:
            yield
        finally:
            lab.on(NODE, "iptables", "-D", *rule)


SCENARIOS = [
    Scenario(
        "api_port_dropped_for_pods",
        api_port_dropped_for_pods,
        witness.every(
            witness.pod_closed(NAME, witness.fixed(str(GATEWAY)), 6443),
            witness.works(witness.closed(NODE, witness.fixed(str(GATEWAY)), 6443)),
        ),
        (Cause(("NF-02", "API-09"), (NODE,), place=r"6443", fix=r"-D FORWARD .*6443"),),
    )
]
