"""Listening TCP sockets of one network namespace: sock_diag(7), else proc(5)'s net/tcp and net/tcp6."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from kubectl_netdoctor.facts.pod_namespaces import Listener

_LISTEN = "0A"  # include/net/tcp_states.h
_MOST = 512
_WORD_BYTES = 4
_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 16}  # bytes of an address
_BY_FAMILY, _DONE, _ERROR = 20, 3, 2  # SOCK_DIAG_BY_FAMILY, NLMSG_*
_REQUEST = struct.Struct("=IHHIIBBBBI48x")  # nlmsghdr and inet_diag_req_v2
_SOURCE_PORT, _SOURCE = 20, 24  # in nlmsghdr and inet_diag_msg
_SECONDS = 1.0


class Budget:
    """Seconds that reading socket tables of proc may take in all.

    Each such reading walks all connections of the machine, whatever the namespace has of them.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def listeners(self, net: Path) -> tuple[Listener, ...]:
        """Those that this `net` directory of a process shows; none once the time is used up."""
        if self._left <= 0:
            return ()
        begun = time.monotonic()
        try:
            return listeners(net)
        finally:
            self._left -= time.monotonic() - begun


def of_this_thread() -> tuple[Listener, ...] | None:
    """Those of the calling thread's namespace, None where the kernel has no such service."""
    found: dict[Listener, None] = {}
    for family in _FAMILIES:
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as sock:  # NETLINK_SOCK_DIAG
                sock.settimeout(_SECONDS)
                states = 1 << int(_LISTEN, 16)
                head = (_REQUEST.size, _BY_FAMILY, 0x301, 1, 0)  # NLM_F_REQUEST | NLM_F_DUMP
                sock.send(_REQUEST.pack(*head, family, socket.IPPROTO_TCP, 0, 0, states))
                found |= dict.fromkeys(_answers(sock, family))
        except OSError:
            return None
    return tuple(found)[:_MOST]


def _answers(sock: socket.socket, family: socket.AddressFamily) -> Iterator[Listener]:
    """Raises OSError where the kernel refuses."""
    while True:
        packet = sock.recv(1 << 16)
        offset = 0
        while offset + 16 <= len(packet):
            length, kind = struct.unpack_from("=IH", packet, offset)
            if kind == _DONE:
                return
            if kind == _ERROR or length < _SOURCE:
                raise OSError("sock_diag refused")
            (port,) = struct.unpack_from(">H", packet, offset + _SOURCE_PORT)
            start = offset + _SOURCE
            address = packet[start : start + _FAMILIES[family]]
            yield Listener(socket.inet_ntop(family, address), port)
            offset += (length + 3) & ~3


def listeners(net: Path) -> tuple[Listener, ...]:
    """Those of the namespace that this `net` directory of a process shows, each once.

    The kernel prints listening sockets first, so reading ends at the first other one: a pod may
    have any number of connections.
    """
    found: dict[Listener, None] = {}
    for name in ("tcp", "tcp6"):
        for listener in _read(net / name):
            found[listener] = None
            if len(found) == _MOST:
                return tuple(found)
    return tuple(found)


def _read(path: Path) -> Iterator[Listener]:
    try:
        with path.open(encoding="ascii", errors="replace") as lines:
            next(lines, None)
            for line in lines:
                listener = parse(line)
                if listener is None:
                    return
                yield listener
    except OSError:
        return  # the process has ended, or there is no such family


def parse(line: str) -> Listener | None:
    """One line; None where the socket does not listen, or the line is none of this table."""
    words = line.split()
    if len(words) < 4 or words[3] != _LISTEN:
        return None
    address, _, port = words[1].partition(":")
    try:
        raw = bytes.fromhex(address)
        number = int(port, 16)
    except ValueError:
        return None
    # Each 32-bit word is printed as a number of this machine, which are little-endian all of them.
    packed = b"".join(raw[i : i + _WORD_BYTES][::-1] for i in range(0, len(raw), _WORD_BYTES))
    family = {size: family for family, size in _FAMILIES.items()}.get(len(packed))
    return None if family is None else Listener(socket.inet_ntop(family, packed), number)
