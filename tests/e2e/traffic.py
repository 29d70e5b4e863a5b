"""Traffic that strains connection tracking: `traffic.py KIND ADDRESS …`, until its input ends.

It prints `ready` when the first packets are out. Standard library only: it runs on nodes.
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

QUARTERS = range(0, 1 << 32, 1 << 30)
"""Sequence numbers far from each other: wherever a window is, one of them is far ahead of it."""


def udp(address: str, port: str) -> None:
    """One socket that sends for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        sock.sendto(b"x", (address, int(port)))
        ready()
        while True:
            time.sleep(0.2)
            sock.sendto(b"x", (address, int(port)))


def listen(address: str, port: str) -> None:
    """Take connections and keep them."""
    kept = []
    with socket.create_server((address, int(port)), backlog=1024) as server:
        ready()
        while True:
            kept.append(server.accept()[0])


def connect(address: str, port: str, number: str) -> None:
    """Keep so many connections; those that fail are tried again and again."""
    waiting = selectors.DefaultSelector()
    kept: list[socket.socket] = []
    started = time.monotonic()
    said = False
    while True:
        while len(kept) + len(waiting.get_map()) < int(number):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((address, int(port)))
            waiting.register(sock, selectors.EVENT_WRITE, time.monotonic())
        for key, _ in waiting.select(0.05):
            waiting.unregister(key.fileobj)
            kept.append(key.fileobj)  # type: ignore[arg-type]
        for key in [k for k in waiting.get_map().values() if time.monotonic() - k.data > 0.2]:
            waiting.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
        if not said and time.monotonic() - started > 1:
            said = True
            ready()


def invalid(address: str, port: str) -> None:
    """Segments of a connection that it cannot have sent."""
    with (
        socket.create_connection((address, int(port))) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw,
    ):
        source, own = sock.getsockname()
        ready()
        while True:
            for number in 5 * list(QUARTERS):
                raw.sendto(segment(source, address, own, int(port), number), (address, 0))
            time.sleep(0.05)


def segment(source: str, destination: str, own: int, port: int, number: int) -> bytes:
    """A TCP header, RFC 9293, with ACK set and its checksum."""
    header = struct.pack("!HHIIBBHHH", own, port, number, number, 5 << 4, 0x10, 512, 0, 0)
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    words = struct.unpack("!16H", ends + struct.pack("!BBH", 0, socket.IPPROTO_TCP, 20) + header)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return header[:16] + struct.pack("!HH", ~total & 0xFFFF, 0)


def spray(network: str, number: str) -> None:
    """One packet each for so many flows, then nothing."""
    first = int(ipaddress.ip_address(network)) + (9 << 8)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for index in range(int(number)):
            to = str(ipaddress.ip_address(first + (index >> 6)))
            sock.sendto(b"x", (to, 20_000 + (index & 63)))
    ready()
    time.sleep(600)


def ready() -> None:
    """Tell whoever started this."""
    print("ready", flush=True)


def end_with_input() -> None:
    """End when whoever started this has gone: a signal would only reach the nsenter before us."""
    sys.stdin.read()
    os._exit(0)


KINDS: dict[str, Callable[..., None]] = {
    "connect": connect,
    "invalid": invalid,
    "listen": listen,
    "spray": spray,
    "udp": udp,
}

if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    KINDS[sys.argv[1]](*sys.argv[2:])
