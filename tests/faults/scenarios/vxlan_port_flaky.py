"""A rule takes a part of the overlay's packets, as a rate limit does; the underlay loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario
from tests.lab import Lab


def inject(node: str, share: str) -> Inject:
    """What arrives at the node."""
    match = ("-m", "statistic", "--mode", "random", "--probability", share)
    rule = ("INPUT", "-p", "udp", "--dport", "8472", *match, "-j", "DROP")

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        lab.on(node, "iptables", "-I", *rule)
        try:
            yield
        finally:
            lab.on(node, "iptables", "-D", *rule)

    return fault


SCENARIOS = [
    Scenario(
        f"vxlan_port_flaky-{name}-{node}",
        inject(node, share),
        witness.lossy(peer, witness.tunnel_of(node), least=6),
        (Cause(("ENC-10",), (node,), place=rf"to {node}\b", fix=r"-D INPUT .*8472"),),
    )
    for name, node, share, peer in (("half", "n2", "0.5", "n1"), ("third", "n3", "0.33", "n2"))
]
