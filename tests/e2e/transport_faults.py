"""Loss in one direction, damaged checksums, and protocols that vanish, on the lab's switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from kubectl_netdoctor.facts.transport import HOST_PORT
from tests.e2e.faults import NODE, Fault
from tests.lab import Lab
from tests.lab.spec import RACK

PORT = f"sw0-{NODE}"
TUNNEL = "flannel.1"
# Behind the outer UDP header: VXLAN 8 bytes, Ethernet 14, IP 20, all of it in bits.
INNER_PROTOCOL = "@th,312,8"
INNER_UDP_CHECKSUM, INNER_TCP_CHECKSUM = "@th,448,16", "@th,528,16"


@contextmanager
def at_switch(lab: Lab, *rules: str) -> Iterator[None]:
    """Rules on what the node sends, where the switch takes it in: no rule on any node shows them."""
    hook = f"{{ type filter hook ingress device {PORT} priority 0; }}"
    lab.on(RACK, "nft", "add", "table", "netdev", "transport")
    try:
        lab.on(RACK, "nft", f"add chain netdev transport in {hook}")
        for rule in rules:
            lab.on(RACK, "nft", f"add rule netdev transport in {rule}")
        yield
    finally:
        lab.on(RACK, "nft", "delete", "table", "netdev", "transport")


def loss_one_way(lab: Lab) -> AbstractContextManager[None]:
    """5 % of what the node sends is lost; what is sent to it arrives."""
    return at_switch(lab, "numgen random mod 100 < 5 drop")


def loss_on_one_pair(lab: Lab) -> AbstractContextManager[None]:
    """5 % of what the node sends to one other node."""
    return at_switch(lab, f"ip daddr {lab.address('n1')} numgen random mod 100 < 5 drop")


@contextmanager
def offload_off(lab: Lab, device: str) -> Iterator[None]:
    """Checksums are complete when packets leave the device, as on a wire."""
    lab.on(NODE, "ethtool", "-K", device, "tx-checksum-ip-generic", "off")
    try:
        yield
    finally:
        lab.on(NODE, "ethtool", "-K", device, "tx-checksum-ip-generic", "on")


@contextmanager
def damaged_in_tunnel(lab: Lab) -> Iterator[None]:
    """Something on the way writes wrong checksums into packets inside VXLAN."""
    udp = f"udp dport 8472 {INNER_PROTOCOL} 17 {INNER_UDP_CHECKSUM} set 0xdead"
    tcp = f"udp dport 8472 {INNER_PROTOCOL} 6 {INNER_TCP_CHECKSUM} set 0xdead"
    with offload_off(lab, TUNNEL), at_switch(lab, udp, tcp):
        yield


@contextmanager
def damaged_below(lab: Lab) -> Iterator[None]:
    """The same on the underlay, for all that is not the tunnel's nor the API server's."""
    udp = f"udp dport {HOST_PORT} udp checksum set 0xdead"
    tcp = f"tcp sport {HOST_PORT} tcp checksum set 0xdead"
    other = f"tcp dport {HOST_PORT} tcp checksum set 0xdead"
    with offload_off(lab, "eth0"), at_switch(lab, udp, tcp, other):
        yield


def swallowed_in_tunnel(lab: Lab) -> AbstractContextManager[None]:
    """A device that looks into VXLAN takes UDP and TCP."""
    return at_switch(lab, f"udp dport 8472 {INNER_PROTOCOL} {{ 6, 17 }} drop")


def tcp_swallowed_in_tunnel(lab: Lab) -> AbstractContextManager[None]:
    """TCP only."""
    return at_switch(lab, f"udp dport 8472 {INNER_PROTOCOL} 6 drop")


def large_lost_and_echo_filtered(lab: Lab) -> AbstractContextManager[None]:
    """Large packets vanish, and with no echo at all nothing but TCP can tell."""
    others = f"ip daddr {{ {', '.join(lab.address(n) for n in lab.nodes if n != NODE)} }}"
    echo = f"{others} icmp type {{ echo-request, echo-reply }} drop"
    return at_switch(lab, echo, f"{others} ip protocol tcp meta length > 1400 drop")


@contextmanager
def ecn_dropped(lab: Lab) -> Iterator[None]:
    """The node asks for ECN, and something on the way takes such SYNs for an attack."""
    lab.on(NODE, "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
    try:
        with at_switch(lab, "tcp flags & (syn | ecn | cwr) == syn | ecn | cwr drop"):
            yield
    finally:
        lab.on(NODE, "sysctl", "-qw", "net.ipv4.tcp_ecn=2")


@contextmanager
def port_closed(lab: Lab, *verdict: str) -> Iterator[None]:
    """A host firewall that does not know the tool: no fault of the cluster."""
    specs = [("INPUT", "-p", p, "--dport", str(HOST_PORT), "-j", *verdict) for p in ("udp", "tcp")]
    for spec in specs:
        lab.on(NODE, "iptables", "-I", *spec)
    try:
        yield
    finally:
        for spec in specs:
            lab.on(NODE, "iptables", "-D", *spec)


def port_dropped(lab: Lab) -> AbstractContextManager[None]:
    """In silence."""
    return port_closed(lab, "DROP")


def port_rejected(lab: Lab) -> AbstractContextManager[None]:
    """With an ICMP error, as firewalld does."""
    return port_closed(lab, "REJECT", "--reject-with", "icmp-admin-prohibited")


def tcp_port_filtered_outside(lab: Lab) -> AbstractContextManager[None]:
    """A security group that knows no such port."""
    return at_switch(lab, f"tcp dport {HOST_PORT} drop")


FAULTS: dict[str, tuple[str, Fault]] = {
    "loss_one_way": ("NIC-03", loss_one_way),
    "loss_on_one_pair": ("NIC-03", loss_on_one_pair),
    "damaged_in_tunnel": ("ENC-02", damaged_in_tunnel),
    "damaged_below": ("NIC-05", damaged_below),
    "swallowed_in_tunnel": ("ENC-03", swallowed_in_tunnel),
    "large_lost_and_echo_filtered": ("MTU-03", large_lost_and_echo_filtered),
    "tcp_swallowed_in_tunnel": ("ENC-03", tcp_swallowed_in_tunnel),
    "ecn_dropped": ("TCP-01", ecn_dropped),
}
"""Each fault with the ID that must be the first row while it lasts."""

LOOK_ALIKES: dict[str, Callable[[Lab], AbstractContextManager[None]]] = {
    "port_dropped": port_dropped,
    "port_rejected": port_rejected,
    "tcp_port_filtered_outside": tcp_port_filtered_outside,
}
"""What takes the tool's own packets and is no fault."""
