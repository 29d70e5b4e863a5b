"""What ICMP messages say of our echo requests: pure functions on bytes."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from kubectl_netdoctor.agent.probes.unreachable import (
    NEIGHBOUR_FAILED,
    icmp_error,
    queued_error,
)

_ICMP = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_PROTOCOL = {4: 1, 6: 58}
_HOST_UNREACHABLE = "host-unreachable"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message about one probe: an answer, or the name of an error."""

    address: str  # that the probe went to
    identifier: int
    sequence: int
    payload: bytes  # of the probe, as far as it was quoted
    error: str | None

    def fits(self, identifier: int | None, token: bytes) -> bool:
        """Whether the probe was one of this run. None: the kernel has checked the identifier."""
        if identifier is not None and self.identifier != identifier:
            return False
        if self.error is None:
            return self.payload == token
        return token.startswith(self.payload[: len(token)])


def numbered(template: bytes, sequence: int, version: int) -> bytes:
    """The request with its sequence number, and for IPv4 the checksum that it then has, RFC 1624."""
    kind, code, checksum, identifier, _ = _ICMP.unpack_from(template)
    if version == 4:
        total = (~checksum & 0xFFFF) + sequence
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return _ICMP.pack(kind, code, checksum, identifier, sequence) + template[_ICMP.size :]


def understand(data: bytes, source: str, version: int, *, raw: bool) -> Heard | None:
    """A received message; None for one that is not about an echo request.

    A raw IPv4 socket delivers the IP header too, the others the ICMP message only.
    """
    local = False
    if raw and version == 4:
        if len(data) < 20:
            return None
        local = data[12:16] == data[16:20]  # this machine told itself
        data = data[(data[0] & 15) * 4 :]
    if len(data) < _ICMP.size:
        return None
    kind, code, _, identifier, sequence = _ICMP.unpack_from(data)
    if kind == _REPLY[version]:
        return Heard(source, identifier, sequence, data[_ICMP.size :], None)
    name = icmp_error(version, kind, code)
    if name is None:
        return None
    if local and name == _HOST_UNREACHABLE:
        name = NEIGHBOUR_FAILED  # the kernel's word for ARP without an answer
    return _quoted(data[_ICMP.size :], version, name)


def _quoted(packet: bytes, version: int, error: str) -> Heard | None:
    """The probe that an ICMP error quotes: its IP header and at least eight bytes more."""
    if not packet:
        return None
    if version == 4:
        length, place, size, protocol_at = (packet[0] & 15) * 4, 16, 4, 9
    else:
        length, place, size, protocol_at = 40, 24, 16, 6
    inner = packet[length:]
    if (
        len(packet) < length + _ICMP.size
        or length < 20
        or packet[protocol_at] != _PROTOCOL[version]
    ):
        return None
    kind, _, _, identifier, sequence = _ICMP.unpack_from(inner)
    if kind != _REQUEST[version]:
        return None
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    address = socket.inet_ntop(family, packet[place : place + size])
    return Heard(address, identifier, sequence, inner[_ICMP.size :], error)


def queued(sock: socket.socket) -> Heard | None:
    """The next error in the queue of a ping socket; raw sockets have none in theirs."""
    found = queued_error(sock)
    if found is None or len(found.packet) < _ICMP.size:
        return None
    _, _, _, identifier, sequence = _ICMP.unpack_from(found.packet)
    return Heard(found.destination, identifier, sequence, found.packet[_ICMP.size :], found.name)
