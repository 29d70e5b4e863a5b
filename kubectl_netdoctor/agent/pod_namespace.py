"""The companion's network namespace on this node: finding it, and working inside it."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.absence import Absence, Denied, NotPresent, Unreadable
from kubectl_netdoctor.agent.host import Host

MARK = "--respond"
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_INTERPRETER = "python"

T = TypeVar("T")


def inside(host: Host, run: str, address: str, work: Callable[[], T]) -> T:
    """The result of `work`, done in the network namespace of this run's companion.

    It is done by a thread of its own, which alone is moved and ends with it: sockets that it opens
    are the pod's, and the rest of the agent stays on the node. Raises NotPresent where no companion
    with that address runs here, Denied without the right to enter, and what `work` raises.
    """
    found = False
    for pid in candidates(host, run):
        found = True
        try:
            namespace = os.open(host.proc / str(pid) / "ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError as exc:
            raise Denied(f"needs root: the companion's network namespace: {exc.strerror}") from exc
        except OSError:
            continue  # it has ended
        try:
            return _in_a_thread(namespace, address, work)
        except _Elsewhere:
            continue  # another process with such arguments: not where the plan says
        finally:
            os.close(namespace)
    what = f"no companion of this run has the address {address} here"
    raise NotPresent(what if found else "no companion of this run runs on this node")


def candidates(host: Host, run: str) -> Iterator[int]:
    """Processes that look like this run's companion. Raises NotPresent where none can be seen."""
    processes.visible(host)
    for entry in host.names(host.proc):
        if not entry.isdecimal():
            continue
        try:
            name = host.kernel(host.proc / entry / "comm")
        except Absence:
            continue  # it has ended
        if name.startswith(_INTERPRETER) and processes.arguments(host, int(entry))[-2:] == [
            MARK,
            run,
        ]:
            yield int(entry)


class _Elsewhere(Exception):
    """The namespace has not the companion's address."""


def _in_a_thread(namespace: int, address: str, work: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            enter(namespace, "the companion's network namespace")
            _expect(address)
            results.append(work())
        except BaseException as exc:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(exc)

    thread = threading.Thread(target=body, name="pod", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def enter(namespace: int, what: str) -> None:
    """Move the calling thread. os.setns() came with Python 3.12. Raises Denied or Unreadable."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) == 0:
        return
    number = ctypes.get_errno()
    said = f"{what}: {os.strerror(number)}"
    raise Denied(f"needs root: {said}") if number == 1 else Unreadable(said)


def _expect(address: str) -> None:
    """Raise _Elsewhere unless the namespace that this thread is in has that address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError as exc:
        raise _Elsewhere from exc
