"""What a node sends to one pod of cluster DNS is dropped: UDP, or TCP as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def inject(node: str, number: int, *protocols: str) -> Inject:
    """The endpoint of that number, in the order of addresses."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        address = witness.dns_endpoint(number)(lab)
        with ExitStack() as stack:
            for protocol in protocols:
                rule = ("OUTPUT", "-d", address, "-p", protocol, "--dport", "53", "-j", "DROP")
                lab.on(node, "iptables", "-I", *rule)
                stack.callback(lab.on, node, "iptables", "-D", *rule)
            yield

    return fault


SCENARIOS = [
    Scenario(
        f"dns_endpoint_dropped-{node}-{number}-{'-'.join(protocols)}",
        inject(node, number, *protocols),
        witness.unanswered(node, witness.dns_endpoint(number)),
        (Cause(("DNS-05",), (node,), place=rf"from {node} only", fix=r"-D OUTPUT .*53"),),
    )
    for node, number, protocols in (
        ("n3", 0, ("udp",)),
        ("n1", 1, ("udp",)),
        ("n2", 0, ("udp", "tcp")),
    )
]
