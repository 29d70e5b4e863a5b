"""The files of one command: what can never be written, or would be lost, is refused at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterable
from pathlib import Path

from kubectl_netdoctor.errors import UsageError

Place = tuple[str, str | None]  # what it is for, as the user gave it, and the file if there is one


def obstacle(file: str) -> str | None:
    """Why nothing can be written there, as far as that is known beforehand."""
    path = Path(os.path.realpath(file))
    kind = None
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        pass
    except OSError as exc:
        return exc.strerror
    if not file or (kind is not None and stat.S_ISDIR(kind)):
        return "it is a folder" if file else "it has no name"
    if not path.parent.is_dir():
        return "no such folder"
    # A file is written beside its place and renamed; a pipe or a device is written to.
    target = path.parent if kind is None or stat.S_ISREG(kind) else path
    return None if os.access(target, os.W_OK) else "no permission"


def writable(places: Iterable[Place]) -> None:
    """Raise UsageError for the first place where nothing can be written."""
    for name, file in places:
        if file is not None and (why := obstacle(file)):
            raise UsageError(f"{name}: cannot write {file!r}: {why}")


def distinct(places: Iterable[Place]) -> None:
    """Raise UsageError where two places are one file: the second would overwrite the first."""
    taken: dict[Hashable, str] = {}
    for name, file in places:
        which = identity(file) if file else None
        if which in taken:
            other = taken[which]
            raise UsageError(f"{name}: give another file, {file!r} is taken by {other}")
        if which is not None:
            taken[which] = name


def identity(file: str) -> Hashable:
    """Equal for two names of one file, by links too; None for a device or a pipe."""
    try:
        found = Path(file).stat()
    except OSError:
        return os.path.realpath(file)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def known_compression(file: str) -> None:
    """Raise BadInput for an ending that this Python cannot write."""
    if file.endswith((".zst", ".zstd")):
        from kubectl_netdoctor.cli.compression import zstandard

        zstandard(file)
