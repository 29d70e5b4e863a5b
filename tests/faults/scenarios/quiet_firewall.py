"""Firewalls that look frightening and let through all that the cluster needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.change import on_node
from tests.faults.scenario import Scenario
from tests.lab import Lab

NODE = "n2"
STRANGER = "203.0.113.0/24"  # RFC 5737: nobody's
ALLOWED = (
    ("-i", "lo"),
    ("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED"),
    ("-p", "icmp"),
    ("-p", "udp", "--dport", "8472"),
    ("-p", "tcp", "--dport", "10250"),
    ("-i", "cni0"),
    ("-i", "flannel.1"),
)


@contextmanager
def closed_but_for_the_cluster(lab: Lab) -> Iterator[None]:
    """Policy DROP on INPUT, and the ports that Kubernetes and flannel document."""
    for words in ALLOWED:
        lab.on(NODE, "iptables", "-A", "INPUT", *words, "-j", "ACCEPT")
    lab.on(NODE, "iptables", "-P", "INPUT", "DROP")
    try:
        yield
    finally:
        lab.on(NODE, "iptables", "-P", "INPUT", "ACCEPT")
        for words in ALLOWED:
            lab.on(NODE, "iptables", "-D", "INPUT", *words, "-j", "ACCEPT")


def banned() -> Scenario:
    """What fail2ban leaves behind."""
    rule = ("INPUT", "-s", STRANGER, "-p", "tcp", "--dport", "22", "-j", "DROP")
    return Scenario(
        "quiet-firewall-bans-a-stranger",
        on_node(NODE, ("iptables", "-I", *rule), ("iptables", "-D", *rule)),
        witness.shows(NODE, "iptables", "-S", text=STRANGER),
    )


def no_echo() -> Scenario:
    """Hosts that do not answer ping are common, and no fault."""
    rule = ("INPUT", "-i", "eth0", "-p", "icmp", "--icmp-type", "echo-request", "-j", "DROP")
    return Scenario(
        "quiet-firewall-no-ping",
        on_node(NODE, ("iptables", "-I", *rule), ("iptables", "-D", *rule)),
        witness.silent("n1", witness.node_of(NODE)),
    )


def foreign_table() -> Scenario:
    """An nftables table of somebody's own that drops what nobody sends."""
    text = (
        "table inet guard { chain in { type filter hook input priority 10; policy accept; "
        f"ip saddr {STRANGER} drop; tcp dport 23 drop; }}; }}"
    )
    return Scenario(
        "quiet-firewall-foreign-table",
        on_node(NODE, ("nft", text), ("nft", "delete", "table", "inet", "guard")),
        witness.shows(NODE, "nft", "list", "tables", text="guard"),
    )


SCENARIOS = [
    Scenario(
        "quiet-firewall-closed-but-for-the-cluster",
        closed_but_for_the_cluster,
        witness.shows(NODE, "iptables", "-S", text="-P INPUT DROP"),
    ),
    banned(),
    no_echo(),
    foreign_table(),
]
