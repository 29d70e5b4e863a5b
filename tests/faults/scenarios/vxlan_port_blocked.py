"""The host firewall forgets the overlay's port: what arrives is dropped, what leaves, or both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab

PORT = "8472"


def inject(node: str, *chains: str) -> Inject:
    """A DROP in these chains."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        with ExitStack() as stack:
            for chain in chains:
                rule = (chain, "-p", "udp", "--dport", PORT, "-j", "DROP")
                lab.on(node, "iptables", "-I", *rule)
                stack.callback(lab.on, node, "iptables", "-D", *rule)
            yield

    return fault


SCENARIOS = [
    Scenario(
        f"vxlan_port_blocked-{node}-{'-'.join(c.lower() for c in chains)}",
        inject(node, *chains),
        witness.silent(peer, witness.tunnel_of(node)),
        (Cause(("ENC-01",), (node,), place=rf"{node} from and to", fix=r"-D (IN|OUT)PUT .*8472"),),
    )
    for node, peer in (("n1", "n2"), ("n3", "n1"))
    for chains in (("INPUT",), ("OUTPUT",), ("INPUT", "OUTPUT"))
]
