"""Devices and settings of other software on a node, none in the cluster's way."""

from __future__ import annotations

from tests.faults import witness
from tests.faults.change import on_node
from tests.faults.scenario import Scenario

NODE = "n2"


def device(name: str, *words: str) -> Scenario:
    """One more device."""
    return Scenario(
        f"quiet-device-{name}",
        on_node(NODE, ("sh", "-c", " ".join(words)), ("ip", "link", "del", name)),
        witness.shows(NODE, "ip", "-br", "link", text=name),
    )


def setting(name: str, value: str, usual: str) -> Scenario:
    """A kernel parameter of somebody's own, that does no harm."""
    return Scenario(
        f"quiet-sysctl-{name.rpartition('.')[2]}-{value}",
        on_node(NODE, ("sysctl", "-qw", f"{name}={value}"), ("sysctl", "-qw", f"{name}={usual}")),
        witness.shows(NODE, "sysctl", "-n", name, text=value),
    )


SCENARIOS = [
    device("docker0", "ip link add docker0 type bridge && ip addr add 172.17.0.1/16 dev docker0"),
    device(
        "small0",
        "ip link add small0 mtu 1280 type veth peer name small1 mtu 1280 &&",
        "ip link set small1 up && ip link set small0 up",
    ),
    device(
        "lan1",
        "ip link add lan1 type veth peer name lan2 && ip addr add 192.168.77.2/24 dev lan1 &&",
        "ip link set lan2 up && ip link set lan1 up",
    ),
    device("down0", "ip link add down0 type bridge"),
    setting("net.ipv4.conf.all.rp_filter", "2", "0"),
    setting("net.ipv4.tcp_keepalive_time", "600", "7200"),
    setting("net.core.somaxconn", "8192", "4096"),
]
