"""Locks between processes that leave no file behind."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """
    Hold the lock of this path; `waiting` is called when another process has it.

    The file is removed by whoever holds the lock, so a lock is good only while the file that was
    locked is still the one at that path.
    """
    descriptor = _locked(path, blocking=False)
    if descriptor is None:
        if waiting:
            waiting()
        descriptor = _locked(path, blocking=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Tell whether some process holds the lock now."""
    if not path.exists():
        return False
    descriptor = _locked(path, blocking=False)
    if descriptor is None:
        return True
    path.unlink(missing_ok=True)
    os.close(descriptor)
    return False


def _locked(path: Path, *, blocking: bool) -> int | None:
    """Return a descriptor that has the lock, None when it would have to wait and must not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether the open file is the one at the path, not one that was removed meanwhile."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
