"""ctnetlink: entries of the connection tracking table, as raw messages and as what they say.

Source: linux/netfilter/nfnetlink_conntrack.h and net/netfilter/nf_conntrack_netlink.c. The kernel
writes the two tuples first and always in one order, so they are read at fixed places: a node may
have a quarter of a million entries.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_netdoctor.agent.absence import Absence, Denied, NotPresent, TooSlow, Unreadable
from kubectl_netdoctor.agent.netlink import split

TCP, UDP = 6, 17
SEEN_REPLY, ASSURED, DESTINATION_CHANGED = 1 << 1, 1 << 2, 1 << 5  # IPS_*

_NETFILTER = 12  # NETLINK_NETFILTER
_GET = (1 << 8) | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
_ERROR, _DONE = 2, 3
_REQUEST_DUMP = 0x301
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_NESTED, _KIND = 0x8000, 0x3FFF
_TUPLE_ORIG, _STATUS, _PROTOINFO, _TIMEOUT = 1, 3, 4, 7
_FILTER, _STATUS_MASK = 25, 26
_BY_PROTOCOL = 1 << 3  # CTA_FILTER_F_CTA_PROTO_NUM
_TUPLE = "4x 4x 4x{0}s 4x{0}s 4x 4xB3x 4xH2x 4xH2x"
_LAYOUTS = {
    # By length of the first tuple: both of one flow with ports, IPv4 and IPv6.
    52: struct.Struct(">20x" + 2 * _TUPLE.format(4)),
    76: struct.Struct(">20x" + 2 * _TUPLE.format(16)),
}
_WITHOUT_PORTS = {
    int(socket.AF_INET): struct.Struct(">32x4s4x4s8xB"),
    int(socket.AF_INET6): struct.Struct(">32x16s4x16s8xB"),
}
_RECEIVE_BYTES = 1 << 17
_TIMEOUT_SECONDS = 3.0


class Flow(NamedTuple):
    """One entry: the packets as the client sends them, and the answers as they come in."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    port: int
    reply_source: bytes
    reply_source_port: int
    reply_destination: bytes
    reply_port: int
    status: int
    timeout: int  # seconds that are left
    state: int  # of TCP, enum tcp_conntrack; 0 for others


def everything() -> Iterator[bytes]:
    """All entries; whoever has enough stops reading. Raises NotPresent, Denied, Unreadable."""
    return _dump(socket.AF_UNSPEC, b"")


def udp_with_changed_destination() -> Iterator[bytes]:
    """UDP entries whose destination was translated; kernels before 5.8 give all entries."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            yield from _dump(family, _wanted())
        except NotPresent:
            yield from _dump(family, b"")


def flow(message: bytes) -> Flow | None:
    """What a message says; a protocol without ports has port 0. None for what is no entry."""
    if len(message) < 24:
        return None
    length = _ATTRIBUTE.unpack_from(message, 20)[0]
    layout = _LAYOUTS.get(length)
    if layout is None or _ATTRIBUTE.unpack_from(message, 20 + length)[0] != length:
        return _without_ports(message)
    source, destination, protocol, sport, port, rsource, rdestination, _, rsport, rport = (
        layout.unpack_from(message)
    )
    status, timeout, state = _rest(message, layout.size, tcp=protocol == TCP)
    return Flow(
        protocol, source, sport, destination, port,
        rsource, rsport, rdestination, rport, status, timeout, state,
    )  # fmt: skip


def _without_ports(message: bytes) -> Flow | None:
    layout = _WITHOUT_PORTS.get(message[16])
    if layout is None or len(message) < layout.size:
        return None
    source, destination, protocol = layout.unpack_from(message)
    return Flow(protocol, source, 0, destination, 0, destination, 0, source, 0, 0, 0, 0)


def _rest(message: bytes, offset: int, *, tcp: bool) -> tuple[int, int, int]:
    """Status, seconds left and TCP's state, from the attributes behind the tuples."""
    status = timeout = state = 0
    end = len(message)
    while offset + 8 <= end:
        length, kind = _ATTRIBUTE.unpack_from(message, offset)
        kind &= _KIND
        if kind == _STATUS:
            status = int.from_bytes(message[offset + 4 : offset + 8], "big")
        elif kind == _TIMEOUT:
            timeout = int.from_bytes(message[offset + 4 : offset + 8], "big")
            if not tcp:
                break
        elif kind == _PROTOINFO:
            state = message[offset + 12] if offset + 12 < end else 0
            break
        elif length < 4:
            break
        offset += (length + 3) & ~3
    return status, timeout, state


def _dump(family: int, wanted: bytes) -> Iterator[bytes]:
    body = struct.pack("=BBH", family, 0, 0) + wanted
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as sock:
        sock.settimeout(_TIMEOUT_SECONDS)
        sock.send(_HEADER.pack(_HEADER.size + len(body), _GET, _REQUEST_DUMP, 1, 0) + body)
        while True:
            try:
                packet = sock.recv(_RECEIVE_BYTES)
            except TimeoutError:
                raise TooSlow(f"conntrack: no answer within {_TIMEOUT_SECONDS:.0f} s") from None
            for offset, length, kind, _ in split(packet):
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise _refusal(struct.unpack_from("=i", packet, offset + _HEADER.size)[0])
                yield packet[offset : offset + length]


def _wanted() -> bytes:
    """A filter: UDP, and IPS_DST_NAT is set."""
    changed = struct.pack(">I", DESTINATION_CHANGED)
    protocol = _attribute(_NESTED | 2, _attribute(1, bytes([UDP])))  # CTA_TUPLE_PROTO
    flags = _attribute(1, struct.pack("=I", _BY_PROTOCOL)) + _attribute(2, struct.pack("=I", 0))
    return (
        _attribute(_NESTED | _TUPLE_ORIG, protocol)
        + _attribute(_NESTED | _FILTER, flags)
        + _attribute(_STATUS, changed)
        + _attribute(_STATUS_MASK, changed)
    )


def _attribute(kind: int, data: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(data)
    return _ATTRIBUTE.pack(length, kind) + data + bytes(-length % 4)


def _refusal(status: int) -> Absence:
    text = os.strerror(-status)
    if -status in (errno.EPERM, errno.EACCES):
        return Denied(f"needs root: conntrack: {text}")
    if -status in (errno.EOPNOTSUPP, errno.EINVAL, errno.EAFNOSUPPORT):
        return NotPresent(f"conntrack: {text}")
    return Unreadable(f"conntrack: {text}")
