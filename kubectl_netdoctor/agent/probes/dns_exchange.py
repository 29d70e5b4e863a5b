"""One DNS query and its answer, over UDP or TCP, each with a socket of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.tally import TIMEOUT
from kubectl_netdoctor.agent.probes.tcp import writable
from kubectl_netdoctor.agent.probes.unreachable import (
    ask_for_errors,
    later_error,
    local_error,
    queued_error,
)

MALFORMED = "malformed"
CLOSED = "closed"  # the server closed the connection before its answer was whole
_RECEIVE_BYTES = 65535


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any rcode, and how long it took in nanoseconds; over TCP with the handshake."""

    rcode: str
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Server:
    """Where a query goes."""

    address: str
    port: int

    def socket(self, kind: int) -> socket.socket:
        """A socket of its own for each query, so that each has another source port."""
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        ask_for_errors(sock)
        return sock


async def over_udp(server: Server, query: dns.message.Message, patience: float) -> Answer | str:
    """The answer to one query, or the name of an error.

    A datagram that is no answer to this query is passed over, as resolvers do; when nothing
    better comes in time, the error is `malformed`.
    """
    with server.socket(socket.SOCK_DGRAM) as sock:
        kernel_clock.stamp_arrivals(sock)
        start = kernel_clock.now()
        try:
            sock.connect((server.address, server.port))
            sock.send(query.to_wire())
        except OSError as exc:
            return local_error(exc.errno or 0)
        error = TIMEOUT
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(_readable(sock), left)
                wire, _, arrived = kernel_clock.receive(sock, _RECEIVE_BYTES)
            except TimeoutError:
                return error
            except BlockingIOError:
                continue
            except OSError as exc:
                return _udp_error(sock, exc)
            rcode = answered(query, wire)
            if rcode is not None:
                return Answer(rcode, max(0, arrived - start))
            error = MALFORMED
        return error


async def over_tcp(server: Server, query: dns.message.Message, patience: float) -> Answer | str:
    """The answer to one query over a connection of its own, or the name of an error."""
    with server.socket(socket.SOCK_STREAM) as sock:
        start = time.perf_counter_ns()
        try:
            wire = await asyncio.wait_for(_tcp(sock, server, query.to_wire()), patience)
        except TimeoutError:
            return TIMEOUT
        except OSError as exc:
            return later_error(exc.errno or 0)
        if isinstance(wire, str):
            return wire
        rcode = answered(query, wire)
        return MALFORMED if rcode is None else Answer(rcode, time.perf_counter_ns() - start)


async def _tcp(sock: socket.socket, server: Server, wire: bytes) -> bytes | str:
    """The answer's bytes, RFC 1035 section 4.2.2, or the name of an error. Raises OSError."""
    number = sock.connect_ex((server.address, server.port))
    if number not in (0, errno.EINPROGRESS):
        return local_error(number)
    await writable(sock)
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        queued = queued_error(sock)
        return queued.name if queued else later_error(number)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, len(wire).to_bytes(2, "big") + wire)
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        piece = await loop.sock_recv(sock, _RECEIVE_BYTES)
        if not piece:
            return CLOSED
        data += piece
    return data[2 : 2 + int.from_bytes(data[:2], "big")]


def answered(query: dns.message.Message, wire: bytes) -> str | None:
    """The rcode's name when these bytes answer the query, else None.

    A truncated answer is an answer, even where its last record was cut in two.
    """
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        try:
            message = dns.message.from_wire(wire, question_only=True, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError, IndexError):
            return None
        if not message.flags & dns.flags.TC:
            return None
    return dns.rcode.to_text(message.rcode()) if query.is_response(message) else None


def _udp_error(sock: socket.socket, exc: OSError) -> str:
    """Name of an error on a connected UDP socket: the ICMP error behind it, where it is known."""
    queued = queued_error(sock)
    if queued is not None:
        return queued.name
    if exc.errno == errno.ECONNREFUSED:
        return "port-unreachable"  # nothing else refuses a datagram
    return later_error(exc.errno or 0)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)
