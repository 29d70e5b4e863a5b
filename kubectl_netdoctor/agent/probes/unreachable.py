"""Names of what comes instead of an answer, from ICMP types and codes and from errno."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Any

MESSAGE_TOO_LONG = "message-too-long"
NEIGHBOUR_FAILED = "neighbour-failed"

_NET, _HOST, _PORT = "net-unreachable", "host-unreachable", "port-unreachable"
_PROHIBITED = "admin-prohibited"
_ICMP4 = {
    # Destination unreachable, RFC 792 and RFC 1812 section 5.2.7.1.
    0: _NET,
    1: _HOST,
    2: "protocol-unreachable",
    3: _PORT,
    4: MESSAGE_TOO_LONG,
    5: _NET,
    6: _NET,
    7: _HOST,
    8: _HOST,
    9: _PROHIBITED,
    10: _PROHIBITED,
    11: _NET,
    12: _HOST,
    13: _PROHIBITED,
}
_ICMP6 = {0: _NET, 1: _PROHIBITED, 2: _NET, 3: _HOST, 4: _PORT, 5: _PROHIBITED, 6: _PROHIBITED}
_TIME_EXCEEDED = "time-exceeded"  # a routing loop, or a TTL that something rewrites
_LOCAL = {
    errno.EPERM: "not-permitted",
    errno.ENETUNREACH: "no-route",
    errno.EHOSTUNREACH: "no-route",
    errno.EMSGSIZE: MESSAGE_TOO_LONG,
    errno.ECONNREFUSED: "refused",
}
_LATER = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: _HOST,
    errno.ENETUNREACH: _NET,
    errno.EMSGSIZE: MESSAGE_TOO_LONG,
}
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_RECVERR = ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR))
_FROM_ICMP = {2: 4, 3: 6}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6: IP version
_EXTENDED = struct.Struct("=IBBBBII")  # struct sock_extended_err, linux/errqueue.h


@dataclass(frozen=True, slots=True)
class QueuedError:
    """One entry of a socket's error queue."""

    name: str
    packet: bytes  # that caused it, from its transport header on
    destination: str


def icmp_error(version: int, kind: int, code: int) -> str | None:
    """Name of an ICMP error; None for a message that is no error."""
    if version == 4:
        if kind == 3:
            return _ICMP4.get(code, _HOST)
        return _TIME_EXCEEDED if kind == 11 else None
    if kind == 1:
        return _ICMP6.get(code, _HOST)
    return {2: MESSAGE_TOO_LONG, 3: _TIME_EXCEEDED}.get(kind)


def local_error(number: int) -> str:
    """Name of an errno that came when the packet was handed to the kernel."""
    return _LOCAL.get(number) or errno.errorcode.get(number, f"errno {number}")


def later_error(number: int) -> str:
    """Name of an errno that came after the packet had left; who sent it is not known."""
    return _LATER.get(number) or errno.errorcode.get(number, f"errno {number}")


def ask_for_errors(sock: socket.socket) -> None:
    """Have the kernel keep ICMP errors with type and code, ip(7) IP_RECVERR."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def queued_error(sock: socket.socket) -> QueuedError | None:
    """The next ICMP error in a socket's error queue, None where there is none.

    Host unreachable that this machine sent to itself means that no neighbour answered.
    """
    try:
        packet, parts, _, destination = sock.recvmsg(
            2048, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT
        )
    except OSError:
        return None
    for level, kind, data in parts:
        if (level, kind) not in _RECVERR or len(data) < _EXTENDED.size:
            continue
        number, origin, icmp_type, icmp_code, _, _, _ = _EXTENDED.unpack_from(data)
        name = (
            icmp_error(_FROM_ICMP[origin], icmp_type, icmp_code) if origin in _FROM_ICMP else None
        )
        if name == _HOST and _offender(data[_EXTENDED.size :]) == _own_address(sock, destination):
            name = NEIGHBOUR_FAILED
        return QueuedError(name or local_error(number), packet, str(destination[0]))
    return None


def _own_address(sock: socket.socket, destination: Any) -> str | None:
    """The address that this machine uses towards a destination."""
    own = sock.getsockname()[0]
    if own not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return str(own)
    try:
        with socket.socket(sock.family, socket.SOCK_DGRAM) as other:
            other.connect((destination[0], 9))
            return str(other.getsockname()[0])
    except OSError:
        return None


def _offender(data: bytes) -> str | None:
    """The address behind a sock_extended_err: who sent the error."""
    if len(data) >= 8 and struct.unpack_from("=H", data)[0] == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, data[4:8])
    if len(data) >= 24 and struct.unpack_from("=H", data)[0] == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, data[8:24])
    return None
