"""TCP to the agents of other nodes: connections, and one upload of full segments to each address."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.node_question import COUNT, HEAD_BYTES, pack_head
from kubectl_netdoctor.agent.probes import tcp
from kubectl_netdoctor.agent.probes.tally import TIMEOUT
from kubectl_netdoctor.agent.probes.unreachable import later_error, local_error, queued_error
from kubectl_netdoctor.facts.transport import HOST_PORT, Ending, TcpPath

ATTEMPTS = 3
STALLED_SECONDS = 1.5  # the third retransmission has had its time by then
_INFO_BYTES = 232
_MSS_AT, _PMTU_AT, _RETRANSMITS_AT, _ACKED_AT, _SEGMENTS_AT = 16, 60, 100, 120, 156  # linux/tcp.h
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: nothing of it stays in the kernel


@dataclass(slots=True)
class _Attempt:
    sock: socket.socket
    began: float
    counts: bool  # the peer's agent was known to run


@dataclass(slots=True)
class Upload:
    """All TCP to one address. Times by time.monotonic()."""

    address: str
    token: bytes
    size: int
    patience: float
    selector: selectors.BaseSelector
    tried: int = 0
    connected: int = 0
    connect_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    ending: Ending | None = None
    seconds: float = 0.0
    idle: float = 0.0
    info: bytes = b""
    _open: list[_Attempt] = field(default_factory=list)
    _sock: socket.socket | None = None  # that the upload goes over
    _left: memoryview | None = None
    _began: float = 0.0
    _acked: int = 0
    _moved: float = 0.0

    @property
    def connecting(self) -> bool:
        """Whether an attempt has no result yet."""
        return bool(self._open)

    def connect(self, *, counts: bool) -> None:
        """Begin one attempt."""
        self.tried += counts
        try:
            sock = tcp.open_socket(self.address, socket.SOCK_STREAM)
        except OSError as exc:
            self.errors[local_error(exc.errno or 0)] += 1
            return
        number = sock.connect_ex((self.address, HOST_PORT))
        if number not in (0, errno.EINPROGRESS):
            self.errors[local_error(number)] += 1
            sock.close()
            return
        attempt = _Attempt(sock, time.monotonic(), counts)
        self._open.append(attempt)
        self.selector.register(sock, selectors.EVENT_WRITE, lambda: self._decided(attempt))

    def _decided(self, attempt: _Attempt) -> None:
        """An attempt has succeeded or failed."""
        sock = attempt.sock
        self._open.remove(attempt)
        self.selector.unregister(sock)
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            queued = queued_error(sock)
            self.errors[queued.name if queued else later_error(number)] += 1
            sock.close()
            return
        took = int((time.monotonic() - attempt.began) * 1e9)
        self.tried += not attempt.counts  # it runs: this one counts after all
        self.connected += 1
        self.connect_ms.append(round(tcp.handshake(sock, took) / 1e6, 3))
        if self._sock is None:
            self._sock = sock
        else:
            sock.close()

    def begin(self) -> None:
        """Send the upload over the first connection that there is; without one, that is the end."""
        if self._began or self.ending:
            return
        self._began = self._moved = time.monotonic()
        if self._sock is None:
            self.ending = "not-connected"
            return
        self._left = memoryview(pack_head(self.token, self.size) + bytes(self.size))
        self.selector.register(
            self._sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self._moves
        )

    def _moves(self) -> None:
        """There is room to send, an answer, or an end."""
        sock = self._sock
        if sock is None or self._left is None:
            return
        try:
            if len(self._left):
                self._left = self._left[sock.send(self._left) :]
                if not len(self._left):
                    self.selector.modify(sock, selectors.EVENT_READ, self._moves)
                return
            said = sock.recv(COUNT.size + 1)
        except BlockingIOError:
            return
        except OSError as exc:
            self._end("stalled" if exc.errno == errno.ETIMEDOUT else "reset")
            return
        complete = len(said) == COUNT.size and COUNT.unpack(said)[0] == self.size
        self._end("done" if complete else "reset")

    def tick(self) -> None:
        """Notice what does not happen."""
        now = time.monotonic()
        for attempt in [a for a in self._open if now - a.began > self.patience]:
            self._open.remove(attempt)
            self.selector.unregister(attempt.sock)
            attempt.sock.close()
            self.errors[TIMEOUT] += 1
        if self._left is None or self.ending or self._sock is None:
            return
        acked = _number(_info(self._sock), _ACKED_AT, "=Q")
        if acked > self._acked:
            self._acked, self._moved = acked, now
        self.idle = max(self.idle, now - self._moved)
        if now - self._moved > STALLED_SECONDS:
            self._end("stalled")

    def _end(self, ending: Ending) -> None:
        if self._sock is None or self.ending:
            return
        self.info = _info(self._sock)
        self._acked = max(self._acked, _number(self.info, _ACKED_AT, "=Q"))
        self.seconds = time.monotonic() - self._began
        self.ending = ending
        self.selector.unregister(self._sock)
        if ending != "done":
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._sock.close()
        self._sock = None

    def close(self) -> None:
        """The agent's time is over."""
        if self._left is not None:
            self._end("unfinished")
        for attempt in self._open:
            self.selector.unregister(attempt.sock)
            attempt.sock.close()
            self.errors[TIMEOUT] += 1
        self._open.clear()
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def fact(self) -> TcpPath:
        """What was seen."""
        return TcpPath(
            tried=self.tried,
            connected=self.connected,
            connect_ms=tuple(self.connect_ms),
            errors=dict(sorted(self.errors.items())),
            ending=self.ending or ("unfinished" if self.connected else "not-connected"),
            bytes=self.size,
            acked=max(0, min(self.size, self._acked - 1 - HEAD_BYTES)),  # less the SYN and the head
            seconds=round(self.seconds, 3),
            idle_seconds=round(self.idle, 3),
            mss=_number(self.info, _MSS_AT),
            pmtu=_number(self.info, _PMTU_AT),
            segments=_number(self.info, _SEGMENTS_AT),
            retransmits=_number(self.info, _RETRANSMITS_AT),
        )


def _info(sock: socket.socket) -> bytes:
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return b""


def _number(info: bytes, at: int, form: str = "=I") -> int:
    """A field of struct tcp_info; an older kernel has fewer of them."""
    size = struct.calcsize(form)
    return int(struct.unpack_from(form, info, at)[0]) if len(info) >= at + size else 0
