"""A host firewall closes the kubelet's port, silently or with an answer."""

from __future__ import annotations

from tests.faults import witness
from tests.faults.change import on_node
from tests.faults.scenario import Cause, Scenario


def scenario(node: str, target: str) -> Scenario:
    """DROP or REJECT."""
    rule = ("INPUT", "-p", "tcp", "--dport", "10250", "-j", target)
    peer = "n2" if node != "n2" else "n1"
    return Scenario(
        f"kubelet_port_{target.lower()}-{node}",
        on_node(node, ("iptables", "-I", *rule), ("iptables", "-D", *rule)),
        witness.closed(peer, witness.node_of(node), 10250),
        (Cause(("NF-05",), (node,), place="10250", fix="10250|iptables"),),
    )


SCENARIOS = [scenario("n1", "DROP"), scenario("n2", "REJECT"), scenario("n3", "DROP")]
