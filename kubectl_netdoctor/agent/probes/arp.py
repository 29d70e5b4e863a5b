"""ARP to peers on the same link: who answers for their address, and how fast."""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from kubectl_netdoctor.agent.absence import Absence, Denied
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.scapy_layers import arp_reply_from, arp_request
from kubectl_netdoctor.agent.probes.tally import Flight, Tally
from kubectl_netdoctor.agent.probes.unreachable import local_error

REQUESTS = 3
"""To each peer: a broadcast wakes every machine of the link."""
MOST_PEERS = 100
_ETH_P_ARP = 0x0806
_UNICAST = 1  # RTN_UNICAST
_ARPHRD_ETHER = 1
_IFF_LOOPBACK, _IFF_NOARP = 0x8, 0x80
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A peer that the routing table sees on a link of this node."""

    address: str
    interface: str
    own_address: str
    own_mac: str


def on_link(host: Host, addresses: list[str]) -> list[Neighbour]:
    """Those of the addresses that are reached without a gateway over a link that does ARP."""
    names = host.interface_names()
    found = []
    for address in addresses[:MOST_PEERS]:
        if ipaddress.ip_address(address).version != 4:
            continue
        try:
            route = host.route_to(address)
        except Absence:
            continue
        interface = names.get(route.get("RTA_OIF", 0))
        own = route.get("RTA_PREFSRC")
        if route["type"] != _UNICAST or "RTA_GATEWAY" in route or "RTA_VIA" in route:
            continue
        mac = link_address(interface) if interface and own else None
        if mac and interface and own:
            found.append(Neighbour(address, interface, own, mac))
    return found


def link_address(interface: str) -> str | None:
    """MAC address of a link that does ARP, netdevice(7); None for any other."""
    request = struct.pack("16s24x", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            flags = struct.unpack_from("=H", fcntl.ioctl(sock, _SIOCGIFFLAGS, request), 16)[0]
            hardware = fcntl.ioctl(sock, _SIOCGIFHWADDR, request)
        except OSError:
            return None
    kind = struct.unpack_from("=H", hardware, 16)[0]
    if flags & (_IFF_LOOPBACK | _IFF_NOARP) or kind != _ARPHRD_ETHER:
        return None
    return hardware[18:24].hex(":")


@dataclass(slots=True)
class Asker:
    """Packet sockets, one per link, and the flights to every neighbour."""

    timeout: float
    flights: dict[str, Flight] = field(default_factory=dict)

    async def ask(self, neighbours: list[Neighbour], pace: Pace) -> dict[str, Tally]:
        """Ask for all neighbours side by side. Raises Denied without CAP_NET_RAW."""
        self.flights = {n.address: Flight(Tally()) for n in neighbours}
        loop = asyncio.get_running_loop()
        sockets: dict[str, socket.socket] = {}
        try:
            for interface in {n.interface for n in neighbours}:
                sockets[interface] = _open(interface)
                loop.add_reader(sockets[interface], self._readable, sockets[interface])
            await asyncio.gather(*(self._one(sockets[n.interface], n, pace) for n in neighbours))
        finally:
            for sock in sockets.values():
                loop.remove_reader(sock)
                sock.close()
        return {address: flight.tally for address, flight in self.flights.items()}

    async def _one(self, sock: socket.socket, neighbour: Neighbour, pace: Pace) -> None:
        flight = self.flights[neighbour.address]
        frame = arp_request(neighbour.own_mac, neighbour.own_address, neighbour.address)
        async for number in pace.slots(REQUESTS):
            flight.send(number, kernel_clock.now())
            try:
                sock.send(frame)
            except OSError as exc:
                flight.fail_at_once(number, local_error(exc.errno or 0))
        await flight.land(self.timeout)

    def _readable(self, sock: socket.socket) -> None:
        """Take every frame that waits; an answer belongs to the oldest open request."""
        while True:
            try:
                frame, _, arrived = kernel_clock.receive(sock, 256)
            except OSError:
                return
            address = reply_from(frame)
            flight = self.flights.get(address) if address else None
            if flight is not None and flight.open:
                flight.answer(min(flight.open), arrived, int(self.timeout * 1e9))


def reply_from(frame: bytes) -> str | None:
    """The address that an ARP reply speaks for; None for any other or a damaged frame."""
    try:
        return arp_reply_from(frame)
    except Exception:  # noqa: BLE001 - scapy names no error of its own for a frame it cannot read
        return None


def _open(interface: str) -> socket.socket:
    kind: Any = socket.SOCK_RAW | socket.SOCK_NONBLOCK
    try:
        sock = socket.socket(socket.AF_PACKET, kind, socket.htons(_ETH_P_ARP))
    except PermissionError as exc:
        raise Denied("needs root: packet sockets") from exc
    sock.bind((interface, _ETH_P_ARP))
    kernel_clock.stamp_arrivals(sock)
    return sock
