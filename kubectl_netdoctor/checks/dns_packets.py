"""DNS packets of a node as its filters see them, and the rules that may take some of them."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.dns_cells import Seen
from kubectl_netdoctor.checks.packet import Drop, Hook, Packet, network
from kubectl_netdoctor.checks.packet_filter import Firewalls

EPHEMERAL = 49152  # stands for the client's port, RFC 6335


def ways(server: str, port: int, protocol: str) -> tuple[tuple[Hook, Packet], ...]:
    """The question on its way out, and the answer on its way in."""
    there = network(server)
    out = Packet(destination=there, protocol=protocol, source_port=EPHEMERAL, destination_port=port)
    back = Packet(source=there, protocol=protocol, source_port=port, destination_port=EPHEMERAL)
    return ("output", out), ("input", back)


def takers(one: Seen, firewalls: Firewalls, reads: str) -> Iterator[Drop]:
    """Rules on the asking node that may take some packets, and took some in the window.

    A rule of nftables without a counter is one where it `reads` the field by which packets are lost.
    """
    for hook, packet in ways(one.server, one.port, "udp"):
        suspects = firewalls.verdict(one.node, hook, packet).suspects
        for drop in suspects:
            if drop.moved or (drop.moved is None and reads in drop.text):
                yield drop
