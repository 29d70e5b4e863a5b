"""The outer packets of a tunnel as firewalls see them, and how to let them through."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import Fix, PerNode
from kubectl_netdoctor.checks.blame import Blame
from kubectl_netdoctor.checks.packet import Drop, Hook, IpNetwork, Packet, network
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces


def port_of(culprit: Blame, interfaces: PerNode[Interfaces] | None) -> int | None:
    """The UDP port of the tunnel on the nodes of the failing pairs."""
    for name in culprit.members:
        links = interfaces.get(name) if interfaces else None
        for link in links.items if links else ():
            if link.vxlan and link.vxlan.port:
                return link.vxlan.port
    return None


def outer(
    culprit: Blame,
    scanned: Container[str],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
) -> Iterator[tuple[str, str, Hook, Packet]]:
    """What scanned nodes of the failing pairs receive and send: node, way, hook, packet."""
    port = port_of(culprit, interfaces)
    for name in culprit.members:
        nic = _underlay_link(name, interfaces)
        for partner in culprit.partners(name) if name in scanned else ():
            there = _address(nodes, partner)
            arrives = Packet(there, input=nic, protocol="udp", destination_port=port)
            leaves = Packet(None, there, output=nic, protocol="udp", destination_port=port)
            yield name, "receive", "input", arrives
            yield name, "send", "output", leaves


def opening(port: int | None, drops: Iterable[Drop], unseen: list[str]) -> Fix:
    """Take the rules away, else let the port through; `unseen`: nodes that were not scanned."""
    number = port or overlay.DEFAULT_PORT
    verify = f"tcpdump -ni any udp port {number}"
    rules = list(drops)
    if rules:
        removals = tuple(dict.fromkeys(d.remove for d in rules if d.remove))
        return Fix(
            f"Remove the rule that drops UDP {number}, where the firewall's own configuration has "
            "it (firewalld, ufw, cloud-init), or now by hand:",
            removals or (f"iptables -I INPUT -p udp --dport {number} -j ACCEPT",),
            verify=verify,
        )
    return Fix(
        f"Open UDP {number} between the addresses of all nodes, both ways: in the provider's "
        "security group, on the switch, or in the firewall of nodes that were not scanned"
        + (f"; scan {', '.join(unseen)} too, to see their rules." if unseen else "."),
        (
            f"firewall-cmd --permanent --add-port={number}/udp && firewall-cmd --reload",
            f"ufw allow {number}/udp",
            f"iptables -I INPUT -p udp --dport {number} -j ACCEPT",
        ),
        verify=verify,
        rollback=f"iptables -D INPUT -p udp --dport {number} -j ACCEPT",
    )


def _address(nodes: Nodes, name: str) -> IpNetwork | None:
    machine = nodes.named(name)
    return network(machine.internal_ips[0]) if machine and machine.internal_ips else None


def _underlay_link(name: str, interfaces: PerNode[Interfaces] | None) -> str | None:
    links = interfaces.get(name) if interfaces else None
    tunnel = next((i for i in links.items if i.vxlan), None) if links else None
    parent = links.indexed(tunnel.vxlan.parent) if links and tunnel and tunnel.vxlan else None
    return parent.name if parent else None
