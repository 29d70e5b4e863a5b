"""ICMP echo to many addresses over one socket."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.absence import Denied, NotPresent
from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.echo import Heard, numbered, queued, understand
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.scapy_layers import echo_request
from kubectl_netdoctor.agent.probes.sized_echo import leave_no_mtu
from kubectl_netdoctor.agent.probes.tally import Flight, Tally
from kubectl_netdoctor.agent.probes.unreachable import ask_for_errors, local_error

_SOL_RAW = 255  # linux/socket.h; Python names no constant
_TOKEN_BYTES = 16
_RECEIVE_BYTES = 2048
_BUFFER_BYTES = 1 << 20
_WANTED = {4: (0, 3, 11), 6: (1, 2, 3, 129)}  # echo reply and errors


@dataclass(slots=True)
class Pinger:
    """One socket, and the flights to every address of one IP version."""

    version: int
    timeout: float
    marks: Mapping[str, bytes] = field(default_factory=dict)  # payload by address
    flights: dict[str, Flight] = field(default_factory=dict)
    identifier: int = field(default_factory=lambda: int.from_bytes(os.urandom(2), "big"))
    token: bytes = field(default_factory=lambda: os.urandom(_TOKEN_BYTES))

    async def ping(self, addresses: list[str], pace: Pace, per_second: int) -> dict[str, Tally]:
        """Probe all addresses side by side. Raises Denied where no ICMP socket is allowed."""
        self.flights = {address: Flight(Tally()) for address in addresses}
        sock, raw = open_socket(self.version)
        loop = asyncio.get_running_loop()
        with sock:
            templates = {
                payload: echo_request(self.identifier, payload, self.version)
                for payload in {self.payload(address) for address in self.flights}
            }
            loop.add_reader(sock, self._readable, sock, raw)
            try:
                await asyncio.gather(
                    *(
                        self._one(sock, a, templates[self.payload(a)], pace, per_second)
                        for a in self.flights
                    )
                )
            finally:
                loop.remove_reader(sock)
        return {address: flight.tally for address, flight in self.flights.items()}

    def payload(self, address: str) -> bytes:
        """What probes to that address carry: their mark, else what nobody can guess."""
        return self.marks.get(address, self.token)

    async def _one(
        self, sock: socket.socket, address: str, template: bytes, pace: Pace, per_second: int
    ) -> None:
        flight = self.flights[address]
        async for number in pace.slots(pace.count(per_second)):
            sequence = (number + 1) & 0xFFFF
            packet = numbered(template, sequence, self.version)
            flight.send(sequence, kernel_clock.now())
            try:
                self._send(sock, packet, address)
            except OSError as exc:
                flight.fail_at_once(sequence, local_error(exc.errno or 0))
        await flight.land(self.timeout)

    def _send(self, sock: socket.socket, packet: bytes, address: str) -> None:
        """Send; an error that an earlier packet left behind on the socket is not this one's."""
        try:
            sock.sendto(packet, (address, 0))
        except OSError:
            if not self._drain_errors(sock):
                raise
            sock.sendto(packet, (address, 0))

    def _readable(self, sock: socket.socket, raw: bool) -> None:
        """Take every message that waits."""
        self._drain_errors(sock)
        while True:
            try:
                data, source, arrived = kernel_clock.receive(sock, _RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # the echo of an error that was in the queue
            heard = understand(data, source, self.version, raw=raw)
            identifier = self.identifier if raw else None
            if heard is not None and heard.fits(identifier, self.payload(heard.address)):
                self._note(heard, arrived)

    def _drain_errors(self, sock: socket.socket) -> bool:
        """Take the errors that wait in the socket's queue; whether there were any."""
        found = False
        while (heard := queued(sock)) is not None:
            found = True
            self._note(heard, 0)
        return found

    def _note(self, heard: Heard, arrived: int) -> None:
        flight = self.flights.get(heard.address)
        if flight is None:
            return
        if heard.error is None:
            flight.answer(heard.sequence, arrived, int(self.timeout * 1e9))
        else:
            flight.error(heard.sequence, heard.error)


def open_socket(version: int) -> tuple[socket.socket, bool]:
    """An ICMP socket, and whether it is a raw one. Raises Denied, or NotPresent without IPv6.

    Without CAP_NET_RAW a ping socket does, where net.ipv4.ping_group_range allows it, icmp(7).
    """
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    protocol = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6
    kinds = (socket.SOCK_RAW, socket.SOCK_DGRAM)
    for kind in kinds:
        try:
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        except PermissionError:
            continue
        except OSError as exc:
            raise NotPresent(f"ICMP sockets of IPv{version}: {exc.strerror}") from exc
        if kind == socket.SOCK_RAW:
            _filter(sock, version)
        else:
            ask_for_errors(sock)
        if version == 4:
            leave_no_mtu(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        kernel_clock.stamp_arrivals(sock)
        return sock, kind == socket.SOCK_RAW
    raise Denied("needs root: ICMP sockets (or a wider net.ipv4.ping_group_range)")


def _filter(sock: socket.socket, version: int) -> None:
    """Receive only the wanted ICMP types; a set bit blocks one, raw(7) and RFC 3542."""
    if version == 4:
        mask = 0xFFFFFFFF
        for kind in _WANTED[4]:
            mask &= ~(1 << kind)
        sock.setsockopt(_SOL_RAW, 1, struct.pack("=I", mask))  # ICMP_FILTER
        return
    words = [0xFFFFFFFF] * 8
    for kind in _WANTED[6]:
        words[kind >> 5] &= ~(1 << (kind & 31))
    sock.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("=8I", *words))  # ICMPV6_FILTER
