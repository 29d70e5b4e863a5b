"""Drops at known hops between two nodes, and the words of the hop ledger for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.e2e.faults import NODE
from tests.lab import Lab
from tests.lab.spec import RACK

TABLE = "hops"
PORT = f"sw0-{NODE}"
PEER = "n1"
SCAN = ("--all-nodes", "--window", "4s", "--ignore", "DNS")
"""Long, so that the windows of all agents overlap for sure, also on a busy machine."""


@contextmanager
def hook(lab: Lab, where: str, family: str, chain: str, rule: str) -> Iterator[None]:
    """One nftables rule in a table of its own, on a node or in the rack."""
    lab.on(where, "nft", "add", "table", family, TABLE)
    try:
        lab.on(where, "nft", f"add chain {family} {TABLE} c {{ type filter hook {chain}; }}")
        lab.on(where, "nft", f"add rule {family} {TABLE} c {rule} counter drop")
        yield
    finally:
        lab.on(where, "nft", "delete", "table", family, TABLE)


@dataclass(frozen=True)
class Hop:
    """One place to drop at: where, how, the finding's ID, and what the ledger has to say."""

    expected: str
    where: str
    family: str
    chain: str
    rule: Callable[[Lab], str]
    says: str

    def inject(self, lab: Lab) -> AbstractContextManager[None]:
        """The drop, as long as it lasts."""
        return hook(lab, self.where, self.family, self.chain, self.rule(lab))


VXLAN = "udp dport 8472"


def _from(lab: Lab, name: str) -> str:
    return f"ip saddr {lab.address(name)}"


def _to(lab: Lab, name: str) -> str:
    return f"ip daddr {lab.address(name)}"


HOPS: dict[str, Hop] = {
    # Tunnel packets, where they become such and where they stop being such.
    "sender_output_outer": Hop(
        "ENC-01", NODE, "ip", "output priority 0", lambda lab: f"{_to(lab, PEER)} {VXLAN}",
        "last seen leaving n3 flannel.1, never on eth0",
    ),
    "sender_postrouting_outer": Hop(
        "ENC-01", NODE, "ip", "postrouting priority 300", lambda lab: f"{_to(lab, PEER)} {VXLAN}",
        "last seen leaving n3 flannel.1, never on eth0",
    ),
    "sender_egress_outer": Hop(
        "ENC-01", NODE, "netdev", "egress device eth0 priority 0",
        lambda lab: f"{_to(lab, PEER)} {VXLAN}",
        "last seen leaving n3 flannel.1, never on eth0",
    ),
    "wire_outer_from": Hop(
        "ENC-01", RACK, "netdev", f"ingress device {PORT} priority 0",
        lambda lab: f"{_to(lab, PEER)} {VXLAN}",
        f"last seen leaving {NODE} eth0 (VXLAN to 198.18.0.11), never arrived at {PEER} eth0",
    ),
    "wire_outer_to": Hop(
        "ENC-01", RACK, "netdev", f"egress device {PORT} priority 0",
        lambda lab: f"{_from(lab, PEER)} {VXLAN}",
        f"last seen leaving {PEER} eth0 (VXLAN to 198.18.0.13), never arrived at {NODE} eth0",
    ),
    "receiver_ingress_outer": Hop(
        "ENC-01", NODE, "netdev", "ingress device eth0 priority 0",
        lambda lab: f"{_from(lab, PEER)} {VXLAN}",
        f"last seen arriving at {NODE} eth0 (VXLAN to 198.18.0.13), never on flannel.1",
    ),
    "receiver_input_outer": Hop(
        "ENC-01", NODE, "ip", "input priority 0", lambda lab: f"{_from(lab, PEER)} {VXLAN}",
        f"last seen arriving at {NODE} eth0 (VXLAN to 198.18.0.13), never on flannel.1",
    ),
    # The inner packet, once it is out of the tunnel.
    "receiver_ingress_inner": Hop(
        "ENC-01", NODE, "netdev", "ingress device flannel.1 priority 0",
        lambda _: "ip protocol icmp",
        f"arrived at {NODE} flannel.1, no answer seen leaving {NODE} flannel.1",
    ),
    # What is forwarded between the tunnel and the bridge of pods.
    "receiver_forward": Hop(
        "NF-01", NODE, "ip", "forward priority 0", lambda _: 'iifname "flannel.1"',
        f"{NODE} flannel.1, never on cni0",
    ),
    "receiver_bridge": Hop(
        "API-09", NODE, "bridge", "output priority 0", lambda _: "ether type ip",
        f"{NODE} cni0, never on",
    ),
    # Plain packets between the nodes' own addresses.
    "wire_plain_from": Hop(
        "NIC-03", RACK, "netdev", f"ingress device {PORT} priority 0",
        lambda lab: f"{_to(lab, PEER)} numgen random mod 100 < 40",
        f"last seen leaving {NODE} eth0, never arrived at {PEER} eth0",
    ),
    "sender_egress_plain": Hop(
        "NIC-03", NODE, "netdev", "egress device eth0 priority 0",
        lambda lab: f"{_to(lab, PEER)} numgen random mod 100 < 40",
        f"never seen on {NODE} eth0",
    ),
    "receiver_input_plain": Hop(
        "NIC-03", NODE, "ip", "input priority 0",
        lambda lab: f"{_from(lab, PEER)} numgen random mod 100 < 40",
        f"arrived at {NODE} eth0, no answer seen leaving {NODE} eth0",
    ),
}  # fmt: skip
