"""Paths that are too small, made on the lab's switch, with the rack as a router, and on a node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.e2e.faults import NODE, Fault
from tests.e2e.resident import resident
from tests.lab import Lab
from tests.lab.spec import GATEWAY, RACK

PORT = f"sw0-{NODE}"
SMALL = "1400"


@contextmanager
def switch_port_small(lab: Lab) -> Iterator[None]:
    """A switch port of another MTU than the NIC behind it: layer 2, so nobody can tell."""
    lab.on(RACK, "ip", "link", "set", PORT, "mtu", SMALL)
    try:
        yield
    finally:
        lab.on(RACK, "ip", "link", "set", PORT, "mtu", "1500")


@contextmanager
def ingress(lab: Lab, where: str, device: str, rule: str) -> Iterator[None]:
    """A rule on what a device takes in, on a node or in the rack."""
    hook = f"{{ type filter hook ingress device {device} priority 0; }}"
    lab.on(where, "nft", "add", "table", "netdev", "mtu")
    try:
        lab.on(where, "nft", f"add chain netdev mtu in {hook}")
        lab.on(where, "nft", f"add rule netdev mtu in {rule}")
        yield
    finally:
        lab.on(where, "nft", "delete", "table", "netdev", "mtu")


def large_lost_one_way(lab: Lab) -> AbstractContextManager[None]:
    """What the node sends is lost when it is large; what is sent to it arrives."""
    # TCP leaves a veth in pieces larger than any MTU, so it is left alone here.
    return ingress(lab, RACK, PORT, f"ip protocol {{ icmp, udp }} meta length > {SMALL} drop")


def fragments_dropped(lab: Lab) -> AbstractContextManager[None]:
    """A filter that takes fragments for an attack."""
    return ingress(lab, NODE, "eth0", "ip frag-off & 0x3fff != 0 drop")


@contextmanager
def routed_small(lab: Lab) -> Iterator[None]:
    """The node reaches the others over a router, whose links beyond have a smaller MTU."""
    others = [n for n in lab.nodes if n != NODE]
    pairs = [(NODE, other) for other in others] + [(other, NODE) for other in others]
    redirects = [f"net.ipv4.conf.{where}.send_redirects" for where in ("all", "sw0")]
    lab.on(RACK, "sysctl", "-qw", *(f"{name}=0" for name in redirects))
    lab.on(RACK, "sysctl", "-qw", "net.ipv4.conf.sw0.forwarding=1")
    for name in lab.nodes:
        lab.on(RACK, "ip", "route", "add", lab.address(name), "dev", "sw0", "mtu", "lock", SMALL)
    for here, there in pairs:
        lab.on(here, "ip", "route", "add", lab.address(there), "via", str(GATEWAY))
    try:
        yield
    finally:
        for here, there in pairs:
            lab.on(here, "ip", "route", "del", lab.address(there), "via", str(GATEWAY))
        for name in lab.nodes:
            lab.on(RACK, "ip", "route", "del", lab.address(name), "dev", "sw0")
        lab.on(RACK, "sysctl", "-qw", "net.ipv4.conf.sw0.forwarding=0")
        lab.on(RACK, "sysctl", "-qw", *(f"{name}=1" for name in redirects))


@contextmanager
def routed_black_hole(lab: Lab) -> Iterator[None]:
    """The same router, and a firewall that somebody told to drop all ICMP errors."""
    with routed_small(lab):
        lab.on(RACK, "nft", "add", "table", "ip", "mtu")
        lab.on(RACK, "nft", "add chain ip mtu out { type filter hook output priority 0; }")
        lab.on(RACK, "nft", "add rule ip mtu out icmp type destination-unreachable drop")
        try:
            yield
        finally:
            lab.on(RACK, "nft", "delete", "table", "ip", "mtu")


@contextmanager
def nic_small(lab: Lab) -> Iterator[None]:
    """One node's NIC was set up with another MTU than the others'; its tunnel kept the old one."""
    lab.on(NODE, "ip", "link", "set", "eth0", "mtu", SMALL)
    try:
        yield
    finally:
        lab.on(NODE, "ip", "link", "set", "eth0", "mtu", "1500")
        lab.on(NODE, "ip", "link", "set", "flannel.1", "mtu", "1450")


@contextmanager
def pods_not_reduced(lab: Lab) -> Iterator[None]:
    """The CNI's configuration names an MTU of its own: pods and their bridge have the NIC's."""
    try:
        with resident(lab, NODE):
            _pod_links(lab, "1500")
            yield
    finally:
        _pod_links(lab, "1450")


def _pod_links(lab: Lab, mtu: str) -> None:
    """Set the MTU of the node's pod bridge and of all its ports."""
    links = lab.on(NODE, "ip", "-br", "link", "show", "master", "cni0").splitlines()
    for name in [*(line.split("@")[0] for line in links), "cni0"]:
        # A port may go with its pod while we look.
        lab.on(NODE, "ip", "link", "set", name, "mtu", mtu, check=name == "cni0")


FAULTS: dict[str, tuple[str, Fault]] = {
    "switch_port_small": ("MTU-03", switch_port_small),
    "large_lost_one_way": ("MTU-03", large_lost_one_way),
    "routed_small": ("MTU-02", routed_small),
    "routed_black_hole": ("MTU-03", routed_black_hole),
    "nic_small": ("MTU-04", nic_small),
    "pods_not_reduced": ("MTU-01", pods_not_reduced),
}
"""Each fault with the ID that must be the first row while it lasts."""
