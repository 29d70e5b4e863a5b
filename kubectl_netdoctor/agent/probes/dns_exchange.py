"""DNS queries and their answers, over UDP or TCP, each exchange with a socket of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.tally import TIMEOUT
from kubectl_netdoctor.agent.probes.tcp import open_socket, writable
from kubectl_netdoctor.agent.probes.unreachable import (
    later_error,
    local_error,
    queued_error,
)

MALFORMED = "malformed"
CLOSED = "closed"  # the server closed the connection before its answer was whole
STALLED = "stalled"  # TCP: the connection was there, and no answer came in time
_RECEIVE_BYTES = 65535


@dataclass(frozen=True, slots=True)
class Soa:
    """A zone's SOA record, of the answer or of the authority section; RFC 1035, RFC 2308."""

    serial: int
    ttl: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says: its rcode, TC, how many records, the addresses among them, its SOA."""

    rcode: str
    truncated: bool
    records: int
    addresses: tuple[str, ...]
    soa: Soa | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any rcode, how long it took in nanoseconds, over TCP with the handshake."""

    said: Said
    nanoseconds: int
    size: int  # bytes of the message

    @property
    def rcode(self) -> str:
        """The name of its rcode."""
        return self.said.rcode


@dataclass(frozen=True, slots=True)
class Server:
    """Where a query goes."""

    address: str
    port: int

    def socket(self, kind: int) -> socket.socket:
        """A socket of its own for each exchange, so that each has another source port.

        Raises OSError.
        """
        return open_socket(self.address, kind)


async def over_udp(server: Server, query: dns.message.Message, patience: float) -> Answer | str:
    """The answer to one query, or the name of an error."""
    return (await side_by_side(server, (query,), patience))[0]


async def side_by_side(
    server: Server, queries: Sequence[dns.message.Message], patience: float
) -> list[Answer | str]:
    """The answers to queries that leave one socket at once, or names of errors, in their order.

    A datagram that is no answer to an open query is passed over, as resolvers do; when nothing
    better comes in time, the error is `malformed`.
    """
    outcomes: list[Answer | str] = [TIMEOUT] * len(queries)
    waiting = set(range(len(queries)))
    try:
        sock = server.socket(socket.SOCK_DGRAM)
    except OSError as exc:
        return [local_error(exc.errno or 0)] * len(queries)
    with sock:
        kernel_clock.stamp_arrivals(sock)
        start = kernel_clock.now()
        try:
            sock.connect((server.address, server.port))
        except OSError as exc:
            return [local_error(exc.errno or 0)] * len(queries)
        for number, query in enumerate(queries):
            try:
                sock.send(query.to_wire())
            except OSError as exc:
                if number and exc.errno == errno.ECONNREFUSED:
                    return [_udp_error(sock, exc)] * len(queries)  # what became of the first one
                outcomes[number] = local_error(exc.errno or 0)
                waiting.remove(number)
        end = time.monotonic() + patience
        while waiting and (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(_readable(sock), left)
                wire, _, arrived = kernel_clock.receive(sock, _RECEIVE_BYTES)
            except TimeoutError:
                break
            except BlockingIOError:
                continue
            except OSError as exc:
                error = _udp_error(sock, exc)
                return [error if n in waiting else o for n, o in enumerate(outcomes)]
            _take(wire, max(0, arrived - start), queries, waiting, outcomes)
    return outcomes


def _take(
    wire: bytes,
    took: int,
    queries: Sequence[dns.message.Message],
    waiting: set[int],
    outcomes: list[Answer | str],
) -> None:
    """Note a datagram at the query that it answers, else that something else came."""
    for number in sorted(waiting):
        said = read(queries[number], wire)
        if said is not None:
            waiting.remove(number)
            outcomes[number] = Answer(said, took, len(wire))
            return
    for number in waiting:
        outcomes[number] = MALFORMED


async def over_tcp(server: Server, query: dns.message.Message, patience: float) -> Answer | str:
    """The answer to one query over a connection of its own, or the name of an error."""
    try:
        sock = server.socket(socket.SOCK_STREAM)
    except OSError as exc:
        return local_error(exc.errno or 0)
    with sock:
        start = time.perf_counter_ns()
        try:
            wire = await asyncio.wait_for(_tcp(sock, server, query.to_wire()), patience)
        except TimeoutError:
            return STALLED if _connected(sock) else TIMEOUT
        except OSError as exc:
            return later_error(exc.errno or 0)
        if isinstance(wire, str):
            return wire
        took = time.perf_counter_ns() - start
        said = read(query, wire)
        return MALFORMED if said is None else Answer(said, took, len(wire))


def _connected(sock: socket.socket) -> bool:
    """Whether the handshake is done: the kernel does it, however busy the server is."""
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


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
    """The rcode's name when these bytes answer the query, else None."""
    said = read(query, wire)
    return said.rcode if said else None


def read(query: dns.message.Message, wire: bytes) -> Said | None:
    """What these bytes say when they answer the query, else None.

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
    if not query.is_response(message):
        return None
    wanted = (dns.rdatatype.A, dns.rdatatype.AAAA)
    addresses = [str(r) for rrset in message.answer if rrset.rdtype in wanted for r in rrset]
    return Said(
        rcode=dns.rcode.to_text(message.rcode()),
        truncated=bool(message.flags & dns.flags.TC),
        records=sum(len(rrset) for rrset in message.answer),
        addresses=tuple(addresses),
        soa=_soa(message),
    )


def _soa(message: dns.message.Message) -> Soa | None:
    for rrset in (*message.answer, *message.authority):
        if rrset.rdtype == dns.rdatatype.SOA:
            record: Any = next(iter(rrset))
            return Soa(int(record.serial), int(rrset.ttl), int(record.minimum))
    return None


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
