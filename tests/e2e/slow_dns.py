"""A DNS server in front of another one, that many milliseconds slower: `slow_dns.py PORT TARGET[:PORT] MS`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

PATIENCE = 2.0  # seconds for the server behind


class Answer(asyncio.DatagramProtocol):
    """Waits for one datagram."""

    def __init__(self) -> None:
        self.came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take the first one."""
        del addr
        if not self.came.done():
            self.came.set_result(data)


class Slow(asyncio.DatagramProtocol):
    """Hands every query on, later."""

    def __init__(self, target: tuple[str, int], seconds: float) -> None:
        self.target = target
        self.seconds = seconds
        self.running: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Start on one query."""
        task = asyncio.ensure_future(self.serve(data, addr))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def serve(self, query: bytes, client: Any) -> None:
        """Wait, ask, answer."""
        await asyncio.sleep(self.seconds)
        loop = asyncio.get_running_loop()
        behind, answer = await loop.create_datagram_endpoint(Answer, remote_addr=self.target)
        try:
            behind.sendto(query)
            with contextlib.suppress(TimeoutError, OSError):
                self.transport.sendto(await asyncio.wait_for(answer.came, PATIENCE), client)
        finally:
            behind.close()


async def main() -> None:
    """Serve until the process is ended."""
    port, target, milliseconds = sys.argv[1:]
    host, _, number = target.partition(":")
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(
        lambda: Slow((host, int(number or 53)), int(milliseconds) / 1000),
        local_addr=("0.0.0.0", int(port)),
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
