"""Commands of the agent's own image: no shell, a deadline, and a bound on their output."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.absence import (
    Absence,
    Denied,
    NotPresent,
    TooSlow,
    Unreadable,
    of_error,
)
from kubectl_netdoctor.agent.signals import CHILDREN

MAX_OUTPUT_BYTES = 48 << 20
_CHUNK = 1 << 18
_SBIN = (
    "/usr/local/sbin:/usr/sbin:/sbin"  # where the commands are, though a user's PATH may end before
)
_DENIED = ("Permission denied", "Operation not permitted", "you must be root")


@dataclass(slots=True)
class Recent:
    """Outputs of commands that two collectors need, so that the second does not run them again."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    running: dict[tuple[str, ...], threading.Lock] = field(default_factory=dict)
    outputs: dict[tuple[str, ...], tuple[float, str]] = field(default_factory=dict)

    def run(self, argv: Sequence[str], timeout: float, max_age: float) -> str:
        """Output of a command that began not longer than `max_age` seconds ago, else a new one.

        Raises as run() does.
        """
        key = tuple(argv)
        asked = time.monotonic()
        with self.lock:
            running = self.running.setdefault(key, threading.Lock())
        with running:
            began, output = self.outputs.get(key, (float("-inf"), ""))
            if began < asked - max_age:
                began = time.monotonic()
                output = run(argv, timeout)
                self.outputs[key] = (began, output)
            return output


def run(argv: Sequence[str], timeout: float) -> str:
    """Standard output of a command.

    Raises NotPresent (not installed), Denied, TooSlow, or Unreadable (exit status not 0, or more
    output than the bound).
    """
    path = f"{os.environ.get('PATH', os.defpath)}:{_SBIN}"
    program = shutil.which(argv[0], path=path)
    if program is None:
        raise NotPresent(f"{argv[0]} is not installed")
    try:
        process = subprocess.Popen(
            [program, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": path, "LC_ALL": "C"},
        )
    except OSError as exc:
        raise of_error(exc, argv[0]) from exc
    CHILDREN.add(process.pid)
    deadline = time.monotonic() + timeout
    try:
        out, err = _read_both(process, argv[0], deadline)
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TooSlow(f"{argv[0]} closed its output and did not end") from None
    finally:
        process.kill()
        process.wait()
        CHILDREN.discard(process.pid)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if process.returncode != 0:
        raise _refusal(argv[0], process.returncode, err.decode("utf-8", "replace"))
    return out.decode("utf-8", "replace")


def _read_both(
    process: subprocess.Popen[bytes], name: str, deadline: float
) -> tuple[bytearray, bytearray]:
    """Both streams to their ends. Raises TooSlow or Unreadable."""
    streams: dict[int, bytearray] = {}
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ)
                streams[pipe.fileno()] = bytearray()
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TooSlow(f"{name} did not end in its time")
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                streams[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fileobj)
                if len(streams[key.fd]) > MAX_OUTPUT_BYTES:
                    raise Unreadable(f"{name} prints more than {MAX_OUTPUT_BYTES} bytes")
    out, err = streams.values()
    return out, err


def _refusal(name: str, status: int, err: str) -> Absence:
    """What a failed command means, from its first line of standard error."""
    line = next((text.strip() for text in err.splitlines() if text.strip()), "no message")[:200]
    if any(words in err for words in _DENIED):
        return Denied(f"needs root: {name}: {line}")
    return Unreadable(f"{name} ended with status {status}: {line}")
