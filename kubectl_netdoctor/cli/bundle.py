"""Bundles: one archive with everything that a colleague or a vendor needs, and checksums of it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping

from kubectl_netdoctor.cli.compression import compress
from kubectl_netdoctor.cli.whole_file import write_whole
from kubectl_netdoctor.errors import UsageError
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.snapshot import MAX_SNAPSHOT_BYTES

ENDINGS = (".tar.gz", ".tgz", ".tar.zst", ".tar.zstd")
SNAPSHOT = "snapshot.json"
MANIFEST = "manifest.json"
MAX_MEMBERS = 10_000  # captures are a file for each node
MAX_MANIFEST = 1 << 20


def known_ending(file: str) -> None:
    """Raise UsageError, before anything is measured, for a name that is no bundle's."""
    from kubectl_netdoctor.cli.compression import zstandard

    if not file.endswith(ENDINGS):
        raise UsageError(f"--bundle {file}: the name ends in none of {', '.join(ENDINGS)}")
    if file.endswith((".zst", ".zstd")):
        zstandard(file)


def write_bundle(file: str, run: str, content: Mapping[str, bytes]) -> None:
    """Write the members and their manifest: sorted, without owners and times, so that it repeats.

    Raises CannotWrite; then nothing stands under its name.
    """
    folder = f"netdoctor-{re.sub(r'[^0-9A-Za-z-]', '_', run) or 'run'}"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted({**content, MANIFEST: manifest(content)}.items()):
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mode = len(data), 0o600
            tar.addfile(member, io.BytesIO(data))
    write_whole(file, compress(out.getvalue(), file), private=True)


def manifest(content: Mapping[str, bytes]) -> bytes:
    """Name, size and SHA-256 of each member."""
    files = [
        {"name": n, "bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()}
        for n, d in sorted(content.items())
    ]
    text = json.dumps({"kind": "netdoctor-bundle", "schemaVersion": 1, "files": files}, indent=2)
    return text.encode() + b"\n"


def is_tar(data: bytes) -> bool:
    """Whether these bytes begin as an archive does."""
    return data[257:262] == b"ustar"


def snapshot_of(data: bytes) -> bytes:
    """The snapshot in a bundle, checked against the manifest; nothing is written to disk.

    Raises DecodeError: damaged, no bundle, or changed after it was made.
    """
    try:
        found = _members(data)
    except (tarfile.TarError, ValueError, OverflowError, RecursionError, EOFError) as exc:
        raise DecodeError(f"damaged bundle: {exc}") from exc
    if SNAPSHOT not in found:
        raise DecodeError(f"the archive holds no {SNAPSHOT}")
    if MANIFEST not in found:
        raise DecodeError(f"the archive holds no {MANIFEST}")
    digest = hashlib.sha256(found[SNAPSHOT]).hexdigest()
    if f'"{digest}"'.encode() not in found[MANIFEST]:
        raise DecodeError(f"the checksum of {SNAPSHOT} is not in the manifest: it was changed")
    return found[SNAPSHOT]


def _members(data: bytes) -> dict[str, bytes]:
    """Manifest and snapshot: plain files in one folder, read where they stand."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        for count, member in enumerate(tar):
            folder, _, name = member.name.partition("/")
            if count >= MAX_MEMBERS:
                raise DecodeError(f"the archive has more than {MAX_MEMBERS} members")
            if name not in (SNAPSHOT, MANIFEST) or not folder.startswith("netdoctor-"):
                continue
            limit = MAX_MANIFEST if name == MANIFEST else MAX_SNAPSHOT_BYTES
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.size > limit:
                raise DecodeError(f"{name} in the archive is no plain file, or too large")
            if name in found:
                raise DecodeError(f"the archive holds {name} twice")
            stream = tar.extractfile(member)
            found[name] = stream.read(limit) if stream else b""
            if len(found[name]) != member.size:
                raise DecodeError(f"{name} in the archive is cut off")
    return found
