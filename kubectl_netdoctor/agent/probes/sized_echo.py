"""Echo requests of a chosen size that nobody may cut, and what comes back: bytes and sockets.

The IP header is ours (IP_HDRINCL), so that the kernel's idea of the path's MTU does not decide. The
sockets are set to IP_PMTUDISC_OMIT: with any other value, ip(7), the kernel would learn from
the errors that these probes provoke, and for ten minutes the node would behave as if it had no
fault.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from kubectl_netdoctor.agent.absence import Denied
from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.echo import understand

HEADERS = 28  # IPv4 20 and ICMP 8
SMALLEST = 84  # as ping(8) sends: what has never been a question of size
_IP = struct.Struct("!BBHHHBBH4s4s")
_ICMP = struct.Struct("!BBHHH")
_DF = 0x4000
_ECHO_REQUEST = 8
_TTL = 64
_IP_MTU_DISCOVER, _PMTUDISC_OMIT = 10, 5  # linux/in.h
_SOL_RAW, _ICMP_FILTER = 255, 1  # linux/socket.h, linux/icmp.h
_WANTED = (0, 3, 8, 11)  # echo reply, unreachable, echo request, time exceeded
_HEAD_BYTES = 256  # of each packet; the rest is padding
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one probe, or the error that came instead; `mtu` is what a router asks for."""

    sequence: int
    source: str
    error: str | None
    mtu: int


@dataclass(frozen=True, slots=True)
class Request:
    """Another node's probe, as it came in."""

    source: str
    size: int


def open_pair() -> tuple[socket.socket, socket.socket]:
    """A socket that sends packets with our IP header, and one that receives ICMP. Raises Denied."""
    try:
        sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    except PermissionError as exc:
        raise Denied("needs root: raw sockets") from exc
    sender.setblocking(False)
    leave_no_mtu(sender)
    return sender, open_cut()


def open_cut() -> socket.socket:
    """A raw ICMP socket whose own packets leave without DF, and in fragments where they must."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    except PermissionError as exc:
        raise Denied("needs root: raw sockets") from exc
    sock.setblocking(False)
    leave_no_mtu(sock)
    mask = 0xFFFFFFFF
    for kind in _WANTED:
        mask &= ~(1 << kind)
    sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", mask))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    kernel_clock.stamp_arrivals(sock)
    return sock


def leave_no_mtu(sock: socket.socket) -> None:
    """Keep the kernel from learning a path's MTU by errors that this IPv4 socket could be told of.

    Every raw socket is told of those about any other one's packets, so all of them need this.
    """
    sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_OMIT)


def whole(destination: str, size: int, identifier: int, sequence: int, token: bytes) -> bytes:
    """An IP packet of exactly that size with DF; the kernel fills in source and checksum, raw(7)."""
    target = socket.inet_aton(destination)
    header = _IP.pack(0x45, 0, size, 0, _DF, _TTL, socket.IPPROTO_ICMP, 0, bytes(4), target)
    return header + message(size, identifier, sequence, token)


def message(size: int, identifier: int, sequence: int, token: bytes) -> bytes:
    """The ICMP part of an IP packet of that size: the token, then zeros, RFC 792."""
    head = _ICMP.pack(_ECHO_REQUEST, 0, 0, identifier, sequence) + token
    # Zeros do not change a sum, so the head alone gives the checksum of the whole.
    total = sum(struct.unpack(f"!{len(head) // 2}H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    padding = bytes(size - HEADERS - len(token))
    return b"".join((head[:2], checksum.to_bytes(2, "big"), head[4:], padding))


def read(data: bytes, source: str, identifier: int, token: bytes) -> Reply | Request | None:
    """What a received packet says of a probe of this run; None for any other packet."""
    if len(data) < HEADERS:
        return None
    start = (data[0] & 15) * 4
    if len(data) < start + _ICMP.size + len(token):
        return None
    kind, code, _, _, mtu = _ICMP.unpack_from(data, start)
    if kind == _ECHO_REQUEST:
        uncut = int.from_bytes(data[6:8], "big") & _DF
        ours = uncut and data[start + _ICMP.size :].startswith(token)
        return Request(source, int.from_bytes(data[2:4], "big")) if ours else None
    heard = understand(data, source, 4, raw=True)
    if heard is None or heard.identifier != identifier:
        return None
    # An error may quote no more than eight bytes of the probe, RFC 792: then the number must do.
    if not (heard.payload.startswith(token) or (heard.error and token.startswith(heard.payload))):
        return None
    asked = mtu if (kind, code) == (3, 4) else 0
    return Reply(heard.sequence, source if heard.error else heard.address, heard.error, asked)


def receive(sock: socket.socket) -> tuple[bytes, str, int]:
    """The head of a packet, its source, and when it came. Raises OSError as recvmsg(2) does."""
    return kernel_clock.receive(sock, _HEAD_BYTES)
