"""When a packet came, as the kernel stamped it: waiting for this process does not count as delay.

The stamp is CLOCK_REALTIME, so send times are taken from the same clock.
"""

from __future__ import annotations

import socket
import struct
import time

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; socket(7)
_TIMESPEC = struct.Struct("@ll")
_SPACE = 256

now = time.time_ns


def stamp_arrivals(sock: socket.socket) -> None:
    """Have the kernel stamp every packet that this socket receives."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def receive(sock: socket.socket, size: int) -> tuple[bytes, str, int]:
    """A packet, its source address, and when it came. Raises OSError as recvmsg(2) does."""
    data, parts, _, source = sock.recvmsg(size, _SPACE)
    arrived = now()
    for level, kind, stamp in parts:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(stamp) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(stamp)
            arrived = seconds * 1_000_000_000 + nanoseconds
    return data, str(source[0]) if source else "", arrived
