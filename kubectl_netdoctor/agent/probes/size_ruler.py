"""Sends sized echo requests when it is their turn, and books what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kubectl_netdoctor.agent import mark
from kubectl_netdoctor.agent.probes import kernel_clock, sized_echo
from kubectl_netdoctor.agent.probes.size_search import Way
from kubectl_netdoctor.agent.probes.sized_echo import Reply, Request
from kubectl_netdoctor.agent.probes.tally import TIMEOUT, Tally
from kubectl_netdoctor.agent.probes.unreachable import MESSAGE_TOO_LONG, local_error
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.path_mtu import TOO_BIG

MOST_PACKETS = 600
_MOST_SOURCES = 256


@dataclass(slots=True)
class Ruler:
    """The sockets, the packets that are on their way, and when the next one may leave."""

    timeout: float
    run: str
    marks: Mapping[str, bytes] = field(default_factory=dict)  # by address
    arrivals: dict[str, int] = field(default_factory=dict)
    _open: dict[int, tuple[Way, int, int]] = field(default_factory=dict)
    _sent: int = 0
    _due: float = 0.0
    _last: float = 0.0
    _sockets: tuple[socket.socket, ...] = ()
    _landed: asyncio.Event = field(default_factory=asyncio.Event)
    _identifier: int = field(default_factory=lambda: int.from_bytes(os.urandom(2), "big"))

    @property
    def token(self) -> bytes:
        """The same on all nodes of a run, so that each knows the others' packets."""
        return mark.sized_magic(self.run)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hold the sockets. Raises Denied."""
        loop = asyncio.get_running_loop()
        sender, receiver = self._sockets = sized_echo.open_pair()
        with sender, receiver:
            loop.add_reader(receiver, self._readable, receiver)
            try:
                yield
            finally:
                loop.remove_reader(receiver)

    async def send(self, way: Way, size: int) -> bool:
        """Send one packet with DF when it is its turn; False when the bound is reached."""
        sequence = await self._turn()
        if sequence is None:
            return False
        self._begin(way, size, sequence)
        said = self._mark(way)
        packet = sized_echo.whole(way.address, size, self._identifier, sequence, said)
        self._hand_over(0, packet, way, sequence)
        return True

    async def send_cut(self, way: Way, size: int) -> bool:
        """The same without DF: the kernel cuts it to fit the device."""
        sequence = await self._turn()
        if sequence is None:
            return False
        self._begin(way, size, sequence)
        packet = sized_echo.message(size, self._identifier, sequence, self._mark(way))
        self._hand_over(1, packet, way, sequence)
        return True

    def _mark(self, way: Way) -> bytes:
        return self.marks.get(way.address) or mark.mark(self.run, "node-size", "", "")

    async def land(self) -> None:
        """Wait until the last packet had its time; what is open then is silence."""
        self._landed.clear()
        if self._open:
            with contextlib.suppress(TimeoutError):
                left = self._last + self.timeout - time.monotonic()
                await asyncio.wait_for(self._landed.wait(), max(0.0, left))
        for way, size, _ in self._open.values():
            way.sizes[size].failed(TIMEOUT)
        self._open.clear()

    async def _turn(self) -> int | None:
        """Wait for the next slot; its number, None when there are no more."""
        if self._sent >= MOST_PACKETS:
            return None
        self._sent += 1
        now = time.monotonic()
        self._due = max(now, self._due) + 1 / budget.SIZES
        number = self._sent
        await asyncio.sleep(max(0.0, self._due - now - 1 / budget.SIZES))
        return number

    def _begin(self, way: Way, size: int, sequence: int) -> None:
        way.sizes.setdefault(size, Tally()).sent += 1
        self._open[sequence] = (way, size, kernel_clock.now())
        self._last = time.monotonic()

    def _hand_over(self, which: int, packet: bytes, way: Way, sequence: int) -> None:
        try:
            self._sockets[which].sendto(packet, (way.address, 0))
        except OSError as exc:
            self._fail(sequence, local_error(exc.errno or 0))

    def _readable(self, sock: socket.socket) -> None:
        """Take every packet that waits."""
        while True:
            try:
                data, source, arrived = sized_echo.receive(sock)
            except BlockingIOError:
                return
            except OSError:
                continue
            heard = sized_echo.read(data, source, self._identifier, self.token)
            if isinstance(heard, Request):
                if heard.source in self.arrivals or len(self.arrivals) < _MOST_SOURCES:
                    known = self.arrivals.get(heard.source, 0)
                    self.arrivals[heard.source] = max(known, heard.size)
            elif heard is not None:
                self._note(heard, arrived)

    def _note(self, reply: Reply, arrived: int) -> None:
        if reply.sequence not in self._open:
            return
        way, size, left = self._open[reply.sequence]
        if reply.error is not None:
            if reply.error == MESSAGE_TOO_LONG:
                key = (reply.source, reply.mtu)
                way.too_big[key] = min(size, way.too_big.get(key, size))
            self._fail(reply.sequence, TOO_BIG if reply.error == MESSAGE_TOO_LONG else reply.error)
        elif reply.source == way.address:
            del self._open[reply.sequence]
            took = max(0, arrived - left)
            if took <= self.timeout * 1e9:
                way.sizes[size].answered(took)
                way.slowest = max(way.slowest, took / 1e9)
            else:
                way.sizes[size].failed(TIMEOUT)
            self._tell(way)

    def _fail(self, sequence: int, name: str) -> None:
        way, size, _ = self._open.pop(sequence)
        way.sizes[size].failed(name)
        self._tell(way)

    def _tell(self, way: Way) -> None:
        way.news.set()
        if not self._open:
            self._landed.set()
