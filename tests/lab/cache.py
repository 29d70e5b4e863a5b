"""Where built things are kept: outside the checkout, each under the hash of what it came from."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.lab import locks
from tests.lab.mounts import unmount_below

_KEY_LENGTH = 12

Say = Callable[[str], None]


def cache_root() -> Path:
    """Return the cache's folder: NETDOCTOR_LAB_CACHE or /var/cache/netdoctor-lab."""
    return Path(os.environ.get("NETDOCTOR_LAB_CACHE") or "/var/cache/netdoctor-lab").absolute()


def key(*parts: str) -> str:
    """Return the short hash of some texts; where one ends and the next begins matters."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part.encode())}:".encode() + part.encode())
    return digest.hexdigest()[:_KEY_LENGTH]


def files_key(root: Path, files: Iterable[Path]) -> str:
    """Return the short hash of files: of their paths below the root and of what they hold."""
    parts = [
        f"{file.relative_to(root)}:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in sorted(set(files))
        if file.is_file()
    ]
    return key(*parts)


def made(target: Path, what: str, make: Callable[[Path], None], say: Say) -> Path:
    """
    Return the target, which `make` makes when it does not exist yet.

    It is made under another name beside its place and renamed, so that what exists is whole; a
    lock keeps a second process from making it too.
    """
    if target.exists():
        return target
    lock = target.parent / f".{target.name}.lock"
    with locks.held(lock, lambda: say(f"waiting for another process that makes {what}")):
        if target.exists():
            return target
        unfinished = target.parent / f".{target.name}.part"
        discard(unfinished)
        say(f"building {what}")
        started = time.monotonic()
        try:
            make(unfinished)
            unfinished.rename(target)
        finally:
            discard(unfinished)
        say(f"built {what} in {time.monotonic() - started:.0f} s")
    return target


def discard(path: Path) -> None:
    """Remove a file or a folder with all it holds, after what is mounted there."""
    unmount_below(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def keep_newest(found: Iterable[Path], count: int) -> None:
    """Discard all but the newest of these."""
    newest_first = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[count:]:
        discard(path)
