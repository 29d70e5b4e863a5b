"""The other end of uploads: takes those of the run, says how much came, and talks to nobody else."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.node_question import COUNT, HEAD_BYTES, read_head
from kubectl_netdoctor.facts.transport import HOST_PORT

_BACKLOG = 128
_MOST_CONNECTIONS = 256
_PATIENCE = 6.0  # seconds that a connection may stay open
_PIECE = 1 << 16


@dataclass(slots=True)
class _Connection:
    until: float
    head: bytes = b""
    left: int | None = None  # bytes still to come, once the head is there
    size: int = 0


@dataclass(slots=True)
class UploadEnd:
    """The listening sockets, and the connections that are open."""

    token: bytes
    selector: selectors.BaseSelector
    _listening: list[socket.socket] = field(default_factory=list)
    _open: dict[socket.socket, _Connection] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether an upload is coming in."""
        return any(c.left for c in self._open.values())

    def listen(self, families: list[int]) -> None:
        """Listen on all addresses of these families. Raises OSError."""
        for family in families:
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._listening.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", HOST_PORT))  # noqa: S104
            sock.listen(_BACKLOG)
            self.selector.register(sock, selectors.EVENT_READ, lambda s=sock: self._accept(s))

    def _accept(self, listening: socket.socket) -> None:
        if len(self._open) >= _MOST_CONNECTIONS:
            self._close(min(self._open, key=lambda s: self._open[s].until))
        try:
            sock, _ = listening.accept()
        except OSError:
            return  # it has gone already
        sock.setblocking(False)
        self._open[sock] = _Connection(time.monotonic() + _PATIENCE)
        self.selector.register(sock, selectors.EVENT_READ, lambda: self._readable(sock))

    def _readable(self, sock: socket.socket) -> None:
        connection = self._open[sock]
        try:
            while True:
                wanted = HEAD_BYTES - len(connection.head) or min(connection.left or 1, _PIECE)
                data = sock.recv(wanted)
                if not data or not self._take(connection, data):
                    break
                if connection.left == 0:
                    sock.send(COUNT.pack(connection.size))
                    break
        except BlockingIOError:
            return
        except OSError:
            pass  # reset by its peer
        self._close(sock)

    def _take(self, connection: _Connection, data: bytes) -> bool:
        """Count what came; False for what is no upload of the run."""
        if connection.left is not None:
            connection.left -= len(data)
            return connection.left >= 0
        connection.head += data
        if len(connection.head) < HEAD_BYTES:
            return True
        size = read_head(connection.head, self.token)
        connection.left = connection.size = size or 0
        return bool(size)

    def tick(self) -> None:
        """Close what has been open for too long."""
        now = time.monotonic()
        for sock in [s for s, c in self._open.items() if c.until < now]:
            self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        if self._open.pop(sock, None) is not None:
            self.selector.unregister(sock)
            sock.close()

    def close(self) -> None:
        """End everything."""
        for sock in list(self._open):
            self._close(sock)
        for sock in self._listening:
            sock.close()
