"""The companion: answers the run's own probes over UDP and TCP until its deadline, and nobody else.

Standard library only, and little of it: it has to be up before the first probe.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from kubectl_netdoctor.agent.question import QUESTION_BYTES, answer, token_of
from kubectl_netdoctor.facts.companion import PORT

RESPOND = "--respond"
TOKEN = "NETDOCTOR_TOKEN"  # noqa: S105 - the variable's name
DEADLINE = "NETDOCTOR_DEADLINE"
_USAGE = f"usage: {RESPOND} RUN, with {TOKEN} and {DEADLINE} in the environment"
_MOST_CONNECTIONS = 256  # at once; further ones wait in the backlog
_BACKLOG = 128
_PATIENCE = 2.0  # seconds for a connection to ask its question
_MOST_AT_ONCE = 64  # datagrams taken before something else gets its turn


def respond(arguments: list[str]) -> NoReturn:
    """Answer until the deadline; status 2 for a bad call, 1 where the port cannot be had."""
    try:
        if len(arguments) != 1:
            raise ValueError(_USAGE)  # noqa: TRY301 - one place says what is wrong
        token = token_of(os.environ.get(TOKEN, ""))
        seconds = float(os.environ.get(DEADLINE, ""))
    except ValueError as exc:
        _give_up(2, str(exc))
    try:
        responder = Responder(token, listening_sockets(PORT))
    except OSError as exc:
        _give_up(1, f"port {PORT}: {exc.strerror}")
    responder.serve(time.monotonic() + seconds)
    sys.exit(0)


def _give_up(status: int, why: str) -> NoReturn:
    sys.stderr.write(f"netdoctor companion: {why}\n")
    sys.exit(status)


def listening_sockets(port: int) -> list[socket.socket]:
    """UDP and TCP on all addresses of each family that the kernel has. Raises OSError."""
    found = []
    families = [(socket.AF_INET, "0.0.0.0")]  # noqa: S104 - a pod's only address
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110 - pathlib is slow to load
        families.append((socket.AF_INET6, "::"))
    for family, everywhere in families:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((everywhere, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(_BACKLOG)
            found.append(sock)
    return found


class Responder:
    """All sockets of the companion, and the one loop over them."""

    def __init__(self, token: bytes, sockets: list[socket.socket]) -> None:
        self._token = token
        self._selector = selectors.DefaultSelector()
        self._open: dict[socket.socket, float] = {}  # connections, and until when they may ask
        for sock in sockets:
            self._watch(sock, self._datagrams if sock.type == socket.SOCK_DGRAM else self._accept)

    def serve(self, deadline: float) -> None:
        """Answer until the deadline, by time.monotonic()."""
        while (now := time.monotonic()) < deadline:
            for late in [s for s, until in self._open.items() if until < now]:
                self._close(late)
            wake = min([deadline, *self._open.values()])
            for key, _ in self._selector.select(max(0.0, wake - now) + 0.001):
                key.data(key.fileobj)

    def _watch(self, sock: socket.socket, act: Callable[[socket.socket], None]) -> None:
        self._selector.register(sock, selectors.EVENT_READ, act)

    def _datagrams(self, sock: socket.socket) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                data, sender = sock.recvfrom(QUESTION_BYTES + 1)
            except OSError:
                return  # none left, or the error of an answer that did not arrive
            said = answer(data, self._token)
            if said is not None:
                try:
                    sock.sendto(said, sender)
                except OSError:
                    continue  # the prober sees it as silence, which it is

    def _accept(self, sock: socket.socket) -> None:
        if len(self._open) >= _MOST_CONNECTIONS:
            self._close(min(self._open, key=lambda s: self._open[s]))
        try:
            connection, _ = sock.accept()
        except OSError:
            return  # it has gone already
        connection.setblocking(False)
        self._open[connection] = time.monotonic() + _PATIENCE
        self._watch(connection, self._asked)

    def _asked(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(QUESTION_BYTES + 1)
            said = answer(data, self._token)
            if said is not None:
                connection.send(said)
        except OSError:
            pass  # reset by its peer
        self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        if self._open.pop(connection, None) is not None:
            self._selector.unregister(connection)
            connection.close()
