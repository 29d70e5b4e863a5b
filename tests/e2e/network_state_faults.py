"""Faults of overlay, routes and host firewall, each taken back when its `with` block ends."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.e2e.faults import NODE, Fault
from tests.e2e.vxlan_device import (
    VTEP,
    backend_data,
    frozen_flannel,
    make_vtep,
    pod_cidr,
    publish,
    publish_backend,
    vtep_state,
)
from tests.lab import Lab
from tests.lab.spec import RACK
from tests.lab.wiring import port

FIRST = "n1"  # the peer of faults between one pair


@contextmanager
def vtep_mac_changed(lab: Lab) -> Iterator[None]:
    """Something gives the VXLAN device another address; its neighbours are forgotten with it.

    Flannel makes a device that was deleted again up to half a minute later, and publishes what it
    finds: after another fault it would take the wrong address for its own.
    """
    published = lab.on(NODE, "cat", f"/sys/class/net/{VTEP}/address").strip()
    entries = vtep_state(lab)
    with frozen_flannel(lab):
        lab.on(NODE, "ip", "link", "set", VTEP, "address", "02:00:5e:00:00:99")
        try:
            yield
        finally:
            lab.on(NODE, "ip", "link", "set", VTEP, "address", published)
            for command in entries:
                lab.on(NODE, *command)


@contextmanager
def vtep_made_again(lab: Lab, *settings: str) -> Iterator[None]:
    """The VXLAN device as an agent with another configuration makes it, with all its entries."""
    mac = lab.on(NODE, "cat", f"/sys/class/net/{VTEP}/address").strip()
    entries = vtep_state(lab)
    with frozen_flannel(lab):
        make_vtep(lab, mac, entries, *settings)
        try:
            yield
        finally:
            make_vtep(lab, mac, entries, "id", "1", "dstport", "8472")


@contextmanager
def vtep_mac_cloned(lab: Lab) -> Iterator[None]:
    """The node publishes a peer's VTEP MAC, as a clone of that machine does."""
    others = [name for name in lab.nodes if name != NODE]
    states = {name: vtep_state(lab, name) for name in others}
    clone, own = backend_data(lab, FIRST), backend_data(lab, NODE)
    mac = json.loads(clone)["VtepMAC"]
    wrong = (mac, "dev", VTEP, "dst", lab.address(NODE))
    publish_backend(lab, clone, mac, others)
    try:
        yield
    finally:
        publish_backend(lab, own, json.loads(own)["VtepMAC"], others)
        lab.on(FIRST, "bridge", "fdb", "del", *wrong)
        for name, commands in states.items():
            for command in commands:
                lab.on(name, *command)


def vxlan_port_differs(lab: Lab) -> AbstractContextManager[None]:
    """One node's agent was started with another port."""
    return vtep_made_again(lab, "id", "1", "dstport", "4789")


def vxlan_id_differs(lab: Lab) -> AbstractContextManager[None]:
    """One node's device has another VNI."""
    return vtep_made_again(lab, "id", "7", "dstport", "8472")


@contextmanager
def pods_blackholed(lab: Lab) -> Iterator[None]:
    """A leftover drops what is for half of a peer's pods."""
    hole = pod_cidr(lab, FIRST).replace(".0/24", ".0/25")
    lab.on(NODE, "ip", "route", "add", "blackhole", hole)
    try:
        yield
    finally:
        lab.on(NODE, "ip", "route", "del", "blackhole", hole)


@contextmanager
def nft_table(lab: Lab, hook: str, *rules: str) -> Iterator[None]:
    """A ruleset by hand, as /etc/nftables.conf of many distributions has one."""
    lab.on(NODE, "nft", "add table inet filter_by_hand")
    chain = f"{{ type filter hook {hook} priority 10; policy accept; }}"
    lab.on(NODE, "nft", f"add chain inet filter_by_hand first {chain}")
    for rule_text in rules:
        lab.on(NODE, "nft", f"add rule inet filter_by_hand first {rule_text}")
    try:
        yield
    finally:
        lab.on(NODE, "nft", "delete table inet filter_by_hand")


def firewall_rejects_input(lab: Lab) -> AbstractContextManager[None]:
    """SSH, ICMP and answers pass, everything else is rejected, as firewalld's default zone does."""
    return nft_table(
        lab,
        "input",
        "ct state established,related accept",
        "ct status dnat accept",
        "iifname lo accept",
        "meta l4proto { icmp, icmpv6 } accept",
        "tcp dport 22 accept",
        "counter reject with icmpx admin-prohibited",
    )


def firewall_rejects_forwarding(lab: Lab) -> AbstractContextManager[None]:
    """No zone knows the pod network."""
    return nft_table(
        lab,
        "forward",
        "ct state established,related accept",
        "ct status dnat accept",
        "counter reject with icmpx admin-prohibited",
    )


@contextmanager
def iptables_rule(lab: Lab, tool: str, *spec: str) -> Iterator[None]:
    """A rule of one backend."""
    lab.on(NODE, tool, "-I", *spec)
    try:
        yield
    finally:
        lab.on(NODE, tool, "-D", *spec)


def legacy_drops(lab: Lab) -> AbstractContextManager[None]:
    """A hardening script that uses the other iptables."""
    cidr = pod_cidr(lab, NODE)
    return iptables_rule(lab, "iptables-legacy", "FORWARD", "-s", cidr, "-j", "DROP")


def kubelet_rejected(lab: Lab) -> AbstractContextManager[None]:
    """Nobody reaches the kubelet."""
    spec = ("INPUT", "-p", "tcp", "--dport", "10250", "-j", "REJECT")
    return iptables_rule(lab, "iptables", *spec)


def kubelet_rejects_new_connections(lab: Lab) -> AbstractContextManager[None]:
    """The API server's present connection to the kubelet works, and hides the fault."""
    new = ("-m", "conntrack", "--ctstate", "NEW")
    spec = ("INPUT", "-p", "tcp", "--dport", "10250", *new, "-j", "REJECT")
    return iptables_rule(lab, "iptables", *spec)


def vxlan_not_sent(lab: Lab) -> AbstractContextManager[None]:
    """The node receives tunnel packets and cannot send any."""
    return iptables_rule(lab, "iptables", "OUTPUT", "-p", "udp", "--dport", "8472", "-j", "DROP")


def vxlan_not_received(lab: Lab) -> AbstractContextManager[None]:
    """The node sends tunnel packets and cannot receive any."""
    return iptables_rule(lab, "iptables", "INPUT", "-p", "udp", "--dport", "8472", "-j", "DROP")


@contextmanager
def on_the_switch(lab: Lab, *matches: str) -> Iterator[None]:
    """The switch drops frames that fit; nothing on any node does."""
    chain = "{ type filter hook forward priority 0; }"
    lab.on(RACK, "nft", "add table bridge fabric")
    lab.on(RACK, "nft", f"add chain bridge fabric cut {chain}")
    for match in matches:
        lab.on(RACK, "nft", f"add rule bridge fabric cut {match} counter drop")
    try:
        yield
    finally:
        lab.on(RACK, "nft", "delete table bridge fabric")


def vxlan_cut_between_a_pair(lab: Lab) -> AbstractContextManager[None]:
    """The fabric drops the tunnel's port between two nodes only."""
    ends = ((FIRST, NODE), (NODE, FIRST))
    return on_the_switch(
        lab, *(f"iifname {port(a)} oifname {port(b)} udp dport 8472" for a, b in ends)
    )


def vxlan_cut_before_a_node(lab: Lab) -> AbstractContextManager[None]:
    """A security group lets a node send to the tunnel's port and not receive."""
    return on_the_switch(lab, f"oifname {port(NODE)} udp dport 8472")


@contextmanager
def strict_filter_on_an_asymmetric_way(lab: Lab) -> Iterator[None]:
    """The node sends to a peer's pods directly, the peer through the tunnel."""
    cidr = pod_cidr(lab, FIRST)
    setting = f"net.ipv4.conf.{VTEP.replace('.', '/')}.rp_filter"
    before = lab.on(NODE, "ip", "route", "show", cidr).split()
    lab.on(NODE, "sysctl", "-qw", f"{setting}=1")
    lab.on(NODE, "ip", "route", "replace", cidr, "via", lab.address(FIRST), "dev", "eth0")
    try:
        yield
    finally:
        lab.on(NODE, "ip", "route", "replace", *before)
        lab.on(NODE, "sysctl", "-qw", f"{setting}=0")


@contextmanager
def default_route_gone(lab: Lab) -> Iterator[None]:
    """A network restart lost the way out."""
    before = lab.on(NODE, "ip", "route", "show", "default").split()
    lab.on(NODE, "ip", "route", "del", "default")
    try:
        yield
    finally:
        lab.on(NODE, "ip", "route", "add", *before)


@contextmanager
def virtual_address_twice(lab: Lab) -> Iterator[None]:
    """Two keepers of a virtual address do not hear each other."""
    address = lab.address(NODE).rpartition(".")[0] + ".200/32"
    for name in (FIRST, NODE):
        lab.on(name, "ip", "address", "add", address, "dev", "eth0")
    try:
        yield
    finally:
        for name in (FIRST, NODE):
            lab.on(name, "ip", "address", "del", address, "dev", "eth0")


@contextmanager
def policy_without_enforcer(lab: Lab) -> Iterator[None]:
    """Somebody denies everything, and plain flannel has never heard of it."""
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny-all", "namespace": "default"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(policy, file)
        file.flush()
        lab.kubectl("create", "-f", file.name)
    try:
        yield
    finally:
        lab.kubectl("-n", "default", "delete", "networkpolicy", "deny-all")


@contextmanager
def tunnel_on_the_wrong_nic(lab: Lab) -> Iterator[None]:
    """The CNI chose a NAT interface that no other node reaches."""
    wrong = "10.0.2.15"
    mac = lab.on(NODE, "cat", f"/sys/class/net/{VTEP}/address").strip()
    entries = vtep_state(lab)
    with frozen_flannel(lab):
        lab.on(NODE, "ip", "link", "add", "nat0", "type", "veth", "peer", "name", "nat1")
        lab.on(NODE, "ip", "address", "add", f"{wrong}/24", "dev", "nat0")
        lab.on(NODE, "ip", "link", "set", "nat0", "up")
        lab.on(NODE, "ip", "link", "set", "nat1", "up")
        make_vtep(lab, mac, entries, "id", "1", "dstport", "8472", local=wrong, parent="nat0")
        publish(lab, wrong)
        try:
            yield
        finally:
            publish(lab, lab.address(NODE))
            make_vtep(lab, mac, entries, "id", "1", "dstport", "8472")
            lab.on(NODE, "ip", "link", "del", "nat0")


FAULTS: dict[str, tuple[str, Fault]] = {
    "vtep_mac_changed": ("ENC-04", vtep_mac_changed),
    "vtep_mac_cloned": ("ENC-06", vtep_mac_cloned),
    "vxlan_port_differs": ("ENC-07", vxlan_port_differs),
    "vxlan_id_differs": ("ENC-07", vxlan_id_differs),
    "pods_blackholed": ("RTE-02", pods_blackholed),
    "strict_filter_on_an_asymmetric_way": ("RTE-08", strict_filter_on_an_asymmetric_way),
    "default_route_gone": ("RTE-12", default_route_gone),
    "virtual_address_twice": ("RTE-07", virtual_address_twice),
    "tunnel_on_the_wrong_nic": ("RTE-05", tunnel_on_the_wrong_nic),
    "policy_without_enforcer": ("POL-04", policy_without_enforcer),
    "firewall_rejects_input": ("NF-02", firewall_rejects_input),
    "firewall_rejects_forwarding": ("NF-01", firewall_rejects_forwarding),
    "legacy_drops": ("NF-03", legacy_drops),
    "kubelet_rejected": ("NF-05", kubelet_rejected),
    "kubelet_rejects_new_connections": ("NF-05", kubelet_rejects_new_connections),
    "vxlan_not_sent": ("ENC-01", vxlan_not_sent),
    "vxlan_not_received": ("ENC-01", vxlan_not_received),
    "vxlan_cut_between_a_pair": ("ENC-01", vxlan_cut_between_a_pair),
    "vxlan_cut_before_a_node": ("ENC-01", vxlan_cut_before_a_node),
}
"""Each fault with the ID that must be the first row while it lasts, all nodes scanned."""
