"""Status and text of HTTP endpoints on this machine, without the standard library's mail parser."""

from __future__ import annotations

import socket
import time

_TIMEOUT_SECONDS = 0.5
_TEXT_SECONDS = 1.5  # a busy node may take its time
_MOST_BYTES = 4 << 20


def status(port: int, path: str) -> int | None:
    """HTTP status of 127.0.0.1, None where nothing answers in half a second."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS) as sock:
            sock.sendall(request)
            return status_of(sock.recv(512))
    except OSError:
        return None


def text(port: int, path: str) -> str | None:
    """What 127.0.0.1 answers, headers included.

    None where nothing listens; empty where the connection is taken and no answer comes in time.
    """
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    end = time.monotonic() + _TEXT_SECONDS
    pieces: list[bytes] = []
    try:
        sock = socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS)
    except OSError:
        return None
    with sock:
        try:
            sock.sendall(request)
            while sum(map(len, pieces)) < _MOST_BYTES:
                sock.settimeout(max(0.01, end - time.monotonic()))
                piece = sock.recv(1 << 16)
                if not piece:
                    break
                pieces.append(piece)
        except OSError:
            pass  # what came so far is the answer
    return b"".join(pieces).decode("utf-8", "replace")


def status_of(answer: bytes) -> int | None:
    """The status in an answer's first line, None where that is no HTTP."""
    words = answer.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return None
    return int(words[1]) if words[1].isdigit() and len(words[1]) == 3 else None
