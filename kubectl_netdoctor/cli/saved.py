"""Snapshots on disk: written whole or not at all, read within bounds, also out of a bundle."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from pathlib import Path

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cli.compression import compress, unpack
from kubectl_netdoctor.cli.memory import bounded
from kubectl_netdoctor.cli.whole_file import write_whole
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts import codec, snapshot
from kubectl_netdoctor.facts.snapshot import MAX_SNAPSHOT_BYTES, Snapshot

MEMORY = 960 << 20  # bytes while reading; a scan of 1,000 nodes needs 770 MiB
OPEN_ALREADY = ("/dev/", "/proc/")  # /dev/stdin, and /dev/fd/63 of a shell's <(...)
SHOWN = 300  # characters of an error: names of keys come from the file


def save(what: Snapshot, file: str) -> None:
    """Write a snapshot as JSON, gzipped when the name ends in .gz; the file appears whole.

    Raises CannotWrite.
    """
    data = to_bytes(what)
    if Path(file).suffix in (".gz", ".zst"):
        data = compress(data, file)
    write_whole(file, data, private=True)  # it describes a whole network


def to_bytes(what: Snapshot) -> bytes:
    """A snapshot as a file: equal snapshots are equal files."""
    return json.dumps(snapshot.to_json(what), sort_keys=True).encode()


def load(file: str) -> Snapshot:
    """Read a snapshot; `-` is standard input.

    Raises BadInput with one sentence: no file, no snapshot, damaged.
    """
    try:
        data = sys.stdin.buffer.read(MAX_SNAPSHOT_BYTES + 1) if file == "-" else _bytes(file)
    except OSError as exc:
        raise BadInput(f"cannot read {file}: {exc.strerror or exc}") from exc
    except ValueError as exc:  # a NUL in the name
        raise BadInput(f"cannot read {file!r}: {exc}") from exc
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise BadInput(f"{file} is larger than {MAX_SNAPSHOT_BYTES >> 20} MiB")
    return read(data, file)


def _bytes(file: str) -> bytes:
    """What a file holds, one byte beyond the bound at most. A pipe of the file system may never end."""
    with open(file, "rb", opener=_without_waiting) as stream:  # Path has no opener
        about = os.fstat(stream.fileno())
        if not stat.S_ISREG(about.st_mode) and not file.startswith(OPEN_ALREADY):
            raise BadInput(f"cannot read {file}: it is no file", hint="for a pipe: FILE is `-`")
        os.set_blocking(stream.fileno(), True)
        if stat.S_ISREG(about.st_mode) and about.st_size > MAX_SNAPSHOT_BYTES:
            raise BadInput(f"{file} is larger than {MAX_SNAPSHOT_BYTES >> 20} MiB")
        return stream.read(MAX_SNAPSHOT_BYTES + 1)


def _without_waiting(file: str, flags: int) -> int:
    """Open a pipe that nobody writes to without waiting for a writer."""
    return os.open(file, flags | getattr(os, "O_NONBLOCK", 0))


def read(data: bytes, file: str) -> Snapshot:
    """Read a snapshot from the bytes of a file. Raises BadInput with one sentence."""
    from kubectl_netdoctor.cli.bundle import is_tar, snapshot_of

    try:
        with bounded(MEMORY - len(data)):
            plain = unpack(data, MAX_SNAPSHOT_BYTES, file)
            if is_tar(plain):
                plain = unpack(snapshot_of(plain), MAX_SNAPSHOT_BYTES, file)
            return _decoded(plain)
    except codec.DecodeError as exc:
        hint = "a snapshot is what scan --save writes"
        raise BadInput(f"{file}: {_one_line(str(exc))}", hint=hint) from exc
    except MemoryError:
        size = f"{MEMORY >> 20} MiB of memory, which are enough for a scan of 1,000 nodes"
        raise BadInput(f"{file}: it would need more than {size}") from None


def _other(plain: bytes) -> str | None:
    """What people take for a snapshot, by its beginning; None where nothing speaks against it."""
    start = plain[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return "it is empty" if len(plain) <= len(plain[:1024]) else None
    known = {b"PK": "a zip archive", b"<": "HTML or XML", b"\xfd7zXZ": "packed with xz"}
    return next((f"it is {what}" for head, what in known.items() if start.startswith(head)), None)


def _decoded(plain: bytes) -> Snapshot:
    """The snapshot; what a newer tool wrote is refused with that tool's version."""
    if other := _other(plain):
        msg = f"this is no snapshot of netdoctor: {other}"
        raise codec.DecodeError(msg)
    data = codec.loads(plain)
    try:
        return snapshot.from_json(data)
    except codec.DecodeError as exc:
        run = data.get("run") if isinstance(data, dict) else None
        version = run.get("tool_version") if isinstance(run, dict) else None
        if isinstance(version, str) and _release(version) > _release(__version__):
            msg = f"it was saved by version {version:.20}, this is {__version__}: {exc}"
            raise codec.DecodeError(msg) from exc
        raise


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d{1,6}", version[:40])[:3])


def _one_line(text: str) -> str:
    """An error's text without anything that steers a terminal: it quotes the file."""
    safe = "".join(c if c.isprintable() else "?" for c in text)
    return safe if len(safe) <= SHOWN else safe[:SHOWN] + "..."
