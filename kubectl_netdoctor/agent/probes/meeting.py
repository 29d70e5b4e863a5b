"""UDP between the agents of a run: each asks the others, and answers them, on one socket.

Both ends use the same port, so the two directions of a pair are one flow: a host firewall that lets
replies in does not hide the loss behind it.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.node_question import (
    ANSWER_BYTES,
    QUESTION_BYTES,
    SESSION_BYTES,
    Answer,
    Question,
    pack_answer,
    pack_question,
    read_answer,
    read_question,
)
from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.unreachable import ask_for_errors, local_error, queued_error
from kubectl_netdoctor.facts.transport import HOST_PORT, TransportRole

_IP_PKTINFO, _SO_TIMESTAMPNS, _SO_MEMINFO = 8, 35, 55  # ip(7); asm-generic/socket.h
_TIMESPEC = struct.Struct("@ll")
_MEMINFO = struct.Struct("=9I")  # the last one is SK_MEMINFO_DROPS, linux/sock_diag.h
_SPACE = 512
_BUFFER_BYTES = 1 << 20
_MOST_AT_ONCE = 256  # datagrams taken before something else gets its turn
_MOST_ASKERS = 256


@dataclass(slots=True)
class Path:
    """One address of a peer, what it was asked, and what came of it. Times: kernel_clock."""

    index: int
    peer: str
    role: TransportRole
    address: str
    asked: list[int] = field(default_factory=list)  # when, by number
    answers: dict[int, tuple[int, int]] = field(default_factory=dict)  # count there, RTT
    failed: dict[int, str] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Life:
    """Signs of life of one peer's agent: the first and the last."""

    first: int = 0
    last: int = 0

    def sign(self, when: int) -> None:
        """It was there at that time."""
        self.first = min(self.first or when, when)
        self.last = max(self.last, when)


@dataclass(slots=True)
class _Asker:
    """What came in from one asker on one of its paths."""

    source: str
    numbers: int = 0  # a bit for each
    count: int = 0
    last: int = 0
    bye: bool = False


class Meeting:
    """All UDP sockets, one of each IP version that the paths need. Raises OSError."""

    def __init__(self, token: bytes, paths: list[Path], lives: dict[str, Life]) -> None:
        self._token = token
        self._paths = paths
        self._lives = lives
        self._session = os.urandom(SESSION_BYTES)
        self._by_address = {p.address: p for p in paths}
        self._askers: dict[tuple[bytes, int], _Asker] = {}
        self._sockets: dict[int, socket.socket] = {}
        try:
            for family in dict.fromkeys(_family(p.address) for p in paths):
                self._sockets[family] = _bound(family)
        except OSError:
            self.close()
            raise

    @property
    def sockets(self) -> list[socket.socket]:
        """What to wait for."""
        return list(self._sockets.values())

    @property
    def heard(self) -> dict[str, int]:
        """Questions that came in, by source address."""
        total: Counter[str] = Counter()
        for asker in self._askers.values():
            total[asker.source] += asker.count
        return dict(total)

    @property
    def dropped(self) -> int:
        """Datagrams that the kernel threw away at these sockets."""
        total = 0
        for sock in self._sockets.values():
            said = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            if len(said) == _MEMINFO.size:
                total += _MEMINFO.unpack(said)[8]
        return total

    def needed(self, since: int) -> bool:
        """Whether somebody who has not said goodbye has asked since then."""
        return any(not a.bye and a.last > since for a in self._askers.values())

    def close(self) -> None:
        """Answer nobody any more."""
        for sock in self._sockets.values():
            sock.close()

    def ask(self, path: Path, *, bye: bool = False) -> None:
        """Send the next question of a path."""
        number = len(path.asked)
        data = pack_question(self._token, Question(self._session, path.index, number, bye))
        sock = self._sockets[_family(path.address)]
        path.asked.append(kernel_clock.now())
        try:
            self._send(sock, data, path.address)
        except OSError as exc:
            self._fail(path, number, local_error(exc.errno or 0))

    def _send(self, sock: socket.socket, data: bytes, address: str) -> None:
        """Send; an error that an earlier question left behind on the socket is not this one's."""
        try:
            sock.sendto(data, (address, HOST_PORT))
        except OSError:
            if not self._drain_errors(sock):
                raise
            sock.sendto(data, (address, HOST_PORT))

    def readable(self, sock: socket.socket) -> None:
        """Take what waits: questions get their answer, answers are noted."""
        self._drain_errors(sock)
        for _ in range(_MOST_AT_ONCE):
            try:
                data, parts, _, source = sock.recvmsg(max(QUESTION_BYTES, ANSWER_BYTES) + 1, _SPACE)
            except BlockingIOError:
                return
            except OSError:
                continue  # the echo of an error that was in the queue
            arrived = _stamp(parts)
            asked = read_question(data, self._token)
            if asked is not None:
                self._asked(sock, asked, source, parts, arrived)
                continue
            said = read_answer(data, self._session)
            if said is not None:
                self._answered(said, str(source[0]), arrived)

    def _asked(
        self, sock: socket.socket, asked: Question, source: tuple[str, int],
        parts: list[tuple[int, int, bytes]], arrived: int,
    ) -> None:  # fmt: skip
        key = (asked.session, asked.path)
        if asked.session == self._session:
            return
        if key not in self._askers and len(self._askers) >= _MOST_ASKERS:
            return
        asker = self._askers.setdefault(key, _Asker(str(source[0])))
        bit = 1 << asked.number
        if not asker.numbers & bit:
            asker.numbers |= bit
            asker.count += 1
        asker.last = max(asker.last, arrived)
        asker.bye = asker.bye or asked.bye
        if (known := self._by_address.get(asker.source)) is not None:
            self._lives[known.peer].sign(arrived)
        held = (kernel_clock.now() - arrived) // 1000
        said = pack_answer(Answer(asked.session, asked.path, asked.number, asker.count, held))
        try:
            # From the address that was asked: the peer knows us by that one.
            own = [p for p in parts if p[:2] in _PACKET_INFO]
            sock.sendmsg([said], [_from(p) for p in own], 0, source)
        except OSError:
            self._drain_errors(sock)  # the asker sees it as silence, which it is

    def _answered(self, said: Answer, source: str, arrived: int) -> None:
        if said.path >= len(self._paths):
            return
        path = self._paths[said.path]
        if path.address != source or said.number >= len(path.asked) or said.number in path.answers:
            return
        left = path.asked[said.number]
        path.answers[said.number] = (said.count, max(0, arrived - left - said.held_us * 1000))
        self._lives[path.peer].sign(left)

    def _drain_errors(self, sock: socket.socket) -> bool:
        """Take the errors that wait in the socket's queue; whether there were any."""
        found = False
        while (error := queued_error(sock)) is not None:
            found = True
            asked = read_question(error.packet[-QUESTION_BYTES:], self._token)
            if asked is not None and asked.session == self._session:
                if asked.path < len(self._paths):
                    self._fail(self._paths[asked.path], asked.number, error.name)
            elif (path := self._by_address.get(error.destination)) is not None:
                path.errors[error.name] += 1
        return found

    def _fail(self, path: Path, number: int, error: str) -> None:
        if number not in path.failed:
            path.failed[number] = error
            path.errors[error] += 1


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _bound(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        ask_for_errors(sock)
        kernel_clock.stamp_arrivals(sock)
        sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", HOST_PORT))  # noqa: S104
    except OSError:
        sock.close()
        raise
    return sock


_PACKET_INFO = (
    (socket.IPPROTO_IP, _IP_PKTINFO),
    (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO),
)


def _from(part: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """Packet information that sends from where the question went to, by whatever route."""
    level, kind, data = part
    if level == socket.IPPROTO_IP:  # struct in_pktinfo: index, local address, destination
        return level, kind, bytes(4) + data[8:12] + bytes(4)
    return level, kind, data[:16] + bytes(4)


def _stamp(parts: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in parts:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return kernel_clock.now()
