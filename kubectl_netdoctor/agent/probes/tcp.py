"""TCP connections that are opened and closed again."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time

from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.tally import TIMEOUT, Tally
from kubectl_netdoctor.agent.probes.unreachable import (
    ask_for_errors,
    later_error,
    local_error,
    queued_error,
)

_MANY_TARGETS = 40
_ATTEMPTS, _FEW_ATTEMPTS = 5, 3
_TCP_INFO_BYTES = 104
_RTT_AT, _RETRANSMITS_AT = 68, 100  # tcpi_rtt (microseconds), tcpi_total_retrans; linux/tcp.h


def attempts(targets: int) -> int:
    """Connections to each of so many targets."""
    return _FEW_ATTEMPTS if targets > _MANY_TARGETS else _ATTEMPTS


async def connect_often(address: str, port: int, pace: Pace, count: int, patience: float) -> Tally:
    """Connect `count` times over the pace; attempts may overlap."""
    tally = Tally()
    running = [
        asyncio.ensure_future(connect(address, port, patience)) async for _ in pace.slots(count)
    ]
    for outcome in await asyncio.gather(*running):
        tally.sent += 1
        if isinstance(outcome, str):
            tally.failed(outcome)
        else:
            tally.answered(outcome)
    return tally


async def connect(address: str, port: int, patience: float) -> int | str:
    """Nanoseconds of the handshake, or the name of an error."""
    try:
        sock = open_socket(address, socket.SOCK_STREAM)
    except OSError as exc:
        return local_error(exc.errno or 0)
    with sock:
        start = time.perf_counter_ns()
        number = sock.connect_ex((address, port))
        if number not in (0, errno.EINPROGRESS):
            return local_error(number)
        try:
            await asyncio.wait_for(writable(sock), patience)
        except TimeoutError:
            return TIMEOUT
        took = time.perf_counter_ns() - start
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            queued = queued_error(sock)
            return queued.name if queued else later_error(number)
        return handshake(sock, took)


def open_socket(address: str, kind: int) -> socket.socket:
    """A socket of the address's family that keeps ICMP errors. Raises OSError.

    No IPv6 in the kernel and too many open files are reasons.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    ask_for_errors(sock)
    return sock


async def writable(sock: socket.socket) -> None:
    """Wait until a connection is there or has failed."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_writer(sock)


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def handshake(sock: socket.socket, took: int) -> int:
    """The handshake's time as the kernel measured it, without this process's own delays, tcp(7).

    A SYN that was sent again has no such measurement: then the whole wait counts.
    """
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    if len(info) < _TCP_INFO_BYTES:
        return took
    microseconds = struct.unpack_from("=I", info, _RTT_AT)[0]
    again = struct.unpack_from("=I", info, _RETRANSMITS_AT)[0]
    measured = int(microseconds) * 1000
    return measured if not again and 0 < measured < took else took
