"""The status of an HTTP endpoint on this machine, without the standard library's mail parser."""

from __future__ import annotations

import socket

_TIMEOUT_SECONDS = 0.5


def status(port: int, path: str) -> int | None:
    """HTTP status of 127.0.0.1, None where nothing answers in half a second."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS) as sock:
            sock.sendall(request)
            return status_of(sock.recv(512))
    except OSError:
        return None


def status_of(answer: bytes) -> int | None:
    """The status in an answer's first line, None where that is no HTTP."""
    words = answer.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return None
    return int(words[1]) if words[1].isdigit() and len(words[1]) == 3 else None
