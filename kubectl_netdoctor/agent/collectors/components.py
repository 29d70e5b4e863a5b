"""Node components that run, and whether kube-proxy calls itself healthy."""

from __future__ import annotations

import socket

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.system import Components

_HEALTHZ = ("127.0.0.1", 10256)  # kube-proxy's --healthz-bind-address
_TIMEOUT_SECONDS = 0.5
_REQUEST = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"


@collector("components")
def components(run: Run) -> Components:
    """Names only. Raises NotPresent where the node's processes cannot be seen."""
    names = {process.name for process in processes.known(run.host)}
    return Components(tuple(sorted(names)), healthz(_HEALTHZ))


def healthz(address: tuple[str, int]) -> int | None:
    """HTTP status of a health endpoint, None where nothing answers in half a second."""
    try:
        with socket.create_connection(address, _TIMEOUT_SECONDS) as sock:
            sock.sendall(_REQUEST)
            return status(sock.recv(512))
    except OSError:
        return None


def status(answer: bytes) -> int | None:
    """The status of an HTTP answer's first line, None where that is no HTTP."""
    words = answer.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return None
    return int(words[1]) if words[1].isdigit() and len(words[1]) == 3 else None
