"""Snapshots of all scenarios in one archive, redacted: ranking is tested without a cluster.

The map of the redaction lies beside them, since nothing of a lab is private: reports are translated
back before they are scored, and so the redaction is tested with every scenario too.
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import diagnose
from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli import saved
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.redaction import mapping
from kubectl_netdoctor.redaction.redact import Redaction, redact
from kubectl_netdoctor.report.document import document

ARCHIVE = Path(__file__).parent.parent / "fixtures" / "scenarios.tar.xz"
MAP = "map.json"
KEY = bytes(16)  # the same words give the same archive


def write(folder: Path, names: Iterable[str], archive: Path = ARCHIVE) -> tuple[str, ...]:
    """Put the snapshots of a folder that `run --snapshots` filled into the archive.

    What it has of other scenarios stays, of those that are no more goes. Returns names of which there
    is no snapshot.
    """
    files = _files(archive) if archive.exists() else {}
    known = files.pop(MAP, None)
    redaction = mapping.from_text(known) if known else Redaction(key=KEY)
    wanted = {f"{name}.json": folder / f"{name}.json.gz" for name in sorted(names)}
    for name, file in wanted.items():
        if file.exists():
            files[name] = saved.to_bytes(redact(saved.load(str(file)), redaction))
    kept = {name: files[name] for name in wanted if name in files}
    kept[MAP] = mapping.to_text(redaction).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in kept.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    archive.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    return tuple(name.removesuffix(".json") for name in wanted if name not in kept)


def _files(archive: Path) -> dict[str, bytes]:
    found = {}
    with tarfile.open(archive) as tar:
        for entry in tar:
            data = tar.extractfile(entry)
            assert data is not None
            found[entry.name] = data.read()
    return found


def read(archive: Path = ARCHIVE) -> tuple[Mapping[str, Snapshot], Callable[[str], str]]:
    """Redacted snapshots by the names of their scenarios, and what translates a text back."""
    found = _files(archive)
    translator = mapping.Translator(mapping.from_text(found.pop(MAP)))
    snapshots = {n.removesuffix(".json"): saved.read(d, n) for n, d in found.items()}
    return snapshots, translator.translate


def report(snapshot: Snapshot, translate: Callable[[str], str]) -> dict[str, Any]:
    """What `analyze -o json` says of a redacted snapshot, in the words of the lab."""
    found = diagnose(snapshot, catalogue())
    code = int(found.exit_code(Severity.MEDIUM))
    whole: dict[str, Any] = json.loads(translate(json.dumps(document(found, exit_code=code))))
    return whole
