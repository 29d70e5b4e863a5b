"""The lab's cables: the rack's switch and each node's link to it."""

from tests.lab.commands import run
from tests.lab.spec import (
    GATEWAY,
    RESOLVER,
    SWITCH,
    WEB,
    Spec,
    node_address,
    node_mac,
)

SWITCH_MAC = "02:4e:44:ff:00:01"


def wire_rack(spec: Spec) -> None:
    """Make the rack's network namespace; nothing in it has a route to anywhere else."""
    rack = spec.rack_netns
    run("ip", "netns", "add", rack)
    _ip(
        rack,
        "link set lo up",
        # A bridge without an address of its own takes its lowest port's, and changes it when that node
        # is switched off: the other nodes would lose the API server and the resolver until ARP ages.
        f"link add {SWITCH} address {SWITCH_MAC} type bridge",
        *(f"addr add {address}/24 dev {SWITCH}" for address in (GATEWAY, RESOLVER, WEB)),
        f"link set {SWITCH} up",
    )
    # The switch is a cable, not a firewall: its frames stay out of the rack's iptables.
    _sysctl(rack, "net.bridge.bridge-nf-call-iptables=0")


def port(node: str) -> str:
    """Return the name of a node's port on the switch."""
    return f"{SWITCH}-{node}"


def wire_node(spec: Spec, node: str) -> None:
    """Make a node's network namespace as a machine has it that was just switched on."""
    netns = spec.node_netns(node)
    run("ip", "netns", "add", netns)
    peer = f"peer name eth0 address {node_mac(node)} netns {netns}"
    _ip(
        spec.rack_netns,
        f"link add {port(node)} type veth {peer}",
        f"link set {port(node)} master {SWITCH} up",
    )
    _ip(
        netns,
        "link set lo up",
        "link set eth0 up",
        f"addr add {node_address(node)}/24 dev eth0",
        f"route add default via {GATEWAY}",
    )
    _sysctl(netns, "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1")


def unwire_node(spec: Spec, node: str) -> None:
    """Take a node off the switch, with everything its kernel knew of the network."""
    run("ip", "-n", spec.rack_netns, "link", "del", port(node), check=False)
    run("ip", "netns", "del", spec.node_netns(node), check=False)


def _ip(netns: str, *lines: str) -> None:
    run("ip", "-n", netns, "-batch", "-", stdin="\n".join(lines) + "\n")


def _sysctl(netns: str, *settings: str) -> None:
    run("ip", "netns", "exec", netns, "sysctl", "-qw", *settings)
