"""Snapshots on disk: written whole or not at all, read within bounds, also out of a bundle."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cli.compression import compress, unpack
from kubectl_netdoctor.cli.whole_file import write_whole
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts import codec, snapshot
from kubectl_netdoctor.facts.snapshot import MAX_SNAPSHOT_BYTES, Snapshot

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
    """Read a snapshot. Raises BadInput with one sentence: no file, no snapshot, damaged."""
    try:
        with Path(file).open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_SNAPSHOT_BYTES:
                raise BadInput(f"{file} is larger than {MAX_SNAPSHOT_BYTES >> 20} MiB")
            data = stream.read(MAX_SNAPSHOT_BYTES + 1)  # a pipe has no size
    except OSError as exc:
        raise BadInput(f"cannot read {file}: {exc.strerror or exc}") from exc
    except ValueError as exc:  # a NUL in the name
        raise BadInput(f"cannot read {file!r}: {exc}") from exc
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise BadInput(f"{file} is larger than {MAX_SNAPSHOT_BYTES >> 20} MiB")
    return read(data, file)


def read(data: bytes, file: str) -> Snapshot:
    """Read a snapshot from the bytes of a file. Raises BadInput with one sentence."""
    from kubectl_netdoctor.cli.bundle import is_tar, snapshot_of

    try:
        plain = unpack(data, MAX_SNAPSHOT_BYTES, file)
        if is_tar(plain):
            plain = unpack(snapshot_of(plain), MAX_SNAPSHOT_BYTES, file)
        return _decoded(plain)
    except codec.DecodeError as exc:
        hint = "a snapshot is what scan --save writes"
        raise BadInput(f"{file}: {_one_line(str(exc))}", hint=hint) from exc
    except MemoryError as exc:
        raise BadInput(f"{file}: too large for this machine's memory") from exc


def _decoded(plain: bytes) -> Snapshot:
    """The snapshot; what a newer tool wrote is refused with that tool's version."""
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
