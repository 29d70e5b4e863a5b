"""Snapshots on disk: written whole or not at all, read within bounds."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zlib
from pathlib import Path

from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts import codec, snapshot
from kubectl_netdoctor.facts.snapshot import MAX_SNAPSHOT_BYTES, Snapshot

GZIP = b"\x1f\x8b"


def save(what: Snapshot, file: str) -> None:
    """Write a snapshot as JSON, gzipped when the name ends in .gz; the file appears whole.

    Raises BadInput where it cannot be written.
    """
    path = Path(file)
    data = json.dumps(snapshot.to_json(what), sort_keys=True).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as out:
            temporary = out.name
            out.write(data)
        Path(temporary).replace(path)
    except OSError as exc:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise BadInput(f"cannot write the snapshot to {file}: {exc.strerror or exc}") from exc


def load(file: str) -> Snapshot:
    """Read a snapshot. Raises BadInput with one sentence: no file, no snapshot, damaged."""
    try:
        with Path(file).open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_SNAPSHOT_BYTES:
                raise BadInput(f"{file} is larger than {MAX_SNAPSHOT_BYTES >> 20} MiB")
            data = stream.read(MAX_SNAPSHOT_BYTES)
    except OSError as exc:
        raise BadInput(f"cannot read {file}: {exc.strerror or exc}") from exc
    try:
        return snapshot.from_json(codec.loads(_plain(data)))
    except codec.DecodeError as exc:
        hint = "a snapshot is what scan --save writes"
        raise BadInput(f"{file}: {exc}", hint=hint) from exc


def _plain(data: bytes) -> bytes:
    if not data.startswith(GZIP):
        return data
    try:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        plain = stream.decompress(data, MAX_SNAPSHOT_BYTES)
    except zlib.error as exc:
        raise codec.DecodeError(f"damaged gzip: {exc}") from exc
    if not stream.eof:
        raise codec.DecodeError("the gzip is cut off, or too large when unpacked")
    return plain
