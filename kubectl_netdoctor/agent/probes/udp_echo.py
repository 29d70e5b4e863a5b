"""UDP questions to many companions over one socket of each IP version."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.mark import MARK_BYTES
from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.tally import Flight, Tally
from kubectl_netdoctor.agent.probes.unreachable import ask_for_errors, local_error, queued_error
from kubectl_netdoctor.agent.question import NONCE_BYTES, QUESTION_BYTES, question

_NUMBER_BYTES = 4
_PREFIX_BYTES = NONCE_BYTES - MARK_BYTES - _NUMBER_BYTES


@dataclass(slots=True)
class Asker:
    """One socket, and the flights to every address of one IP version."""

    version: int
    port: int
    token: bytes
    timeout: float
    marks: Mapping[str, bytes] = field(default_factory=dict)  # by address
    flights: dict[str, Flight] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # address of each question, by its number
    prefix: bytes = field(default_factory=lambda: os.urandom(_PREFIX_BYTES))
    unmarked: bytes = field(default_factory=lambda: os.urandom(MARK_BYTES))

    async def ask(self, addresses: list[str], pace: Pace, per_second: int) -> dict[str, Tally]:
        """Ask all addresses side by side. Raises OSError where there is no such socket."""
        self.flights = {address: Flight(Tally()) for address in addresses}
        family = socket.AF_INET if self.version == 4 else socket.AF_INET6
        loop = asyncio.get_running_loop()
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            ask_for_errors(sock)
            kernel_clock.stamp_arrivals(sock)
            loop.add_reader(sock, self._readable, sock)
            try:
                await asyncio.gather(
                    *(self._one(sock, address, pace, per_second) for address in self.flights)
                )
            finally:
                loop.remove_reader(sock)
        return {address: flight.tally for address, flight in self.flights.items()}

    async def _one(self, sock: socket.socket, address: str, pace: Pace, per_second: int) -> None:
        flight = self.flights[address]
        async for _ in pace.slots(pace.count(per_second)):
            number = len(self.asked)
            self.asked.append(address)
            nonce = b"".join(
                (self._mark(address), self.prefix, number.to_bytes(_NUMBER_BYTES, "big"))
            )
            flight.send(number, kernel_clock.now())
            try:
                self._send(sock, question(self.token, nonce), address)
            except OSError as exc:
                flight.fail_at_once(number, local_error(exc.errno or 0))
        await flight.land(self.timeout)

    def _send(self, sock: socket.socket, data: bytes, address: str) -> None:
        """Send; an error that an earlier question left behind on the socket is not this one's."""
        try:
            sock.sendto(data, (address, self.port))
        except OSError:
            if not self._drain_errors(sock):
                raise
            sock.sendto(data, (address, self.port))

    def _readable(self, sock: socket.socket) -> None:
        """Take every answer that waits."""
        self._drain_errors(sock)
        while True:
            try:
                data, source, arrived = kernel_clock.receive(sock, QUESTION_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # the echo of an error that was in the queue
            number = self._number(data)
            if number is not None and self.asked[number] == source:
                self.flights[source].answer(number, arrived, int(self.timeout * 1e9))

    def _mark(self, address: str) -> bytes:
        return self.marks.get(address, self.unmarked)

    def _number(self, nonce: bytes) -> int | None:
        """Number of the question with that nonce, None where we sent no such question."""
        if len(nonce) != NONCE_BYTES or not nonce[MARK_BYTES:].startswith(self.prefix):
            return None
        number = int.from_bytes(nonce[-_NUMBER_BYTES:], "big")
        if number >= len(self.asked) or not nonce.startswith(self._mark(self.asked[number])):
            return None
        return number

    def _drain_errors(self, sock: socket.socket) -> bool:
        """Take the errors that wait in the socket's queue; whether there were any."""
        found = False
        while (error := queued_error(sock)) is not None:
            found = True
            flight = self.flights.get(error.destination)
            if flight is None or not flight.open:
                continue
            # A router may quote eight bytes of our packet only: then the oldest question is meant.
            number = self._number(error.packet[-NONCE_BYTES:])
            flight.error(min(flight.open) if number is None else number, error.name)
        return found
