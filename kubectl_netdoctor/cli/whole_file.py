"""Files that appear whole or not at all, and are read whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from kubectl_netdoctor.errors import BadInput, CannotWrite


def write_whole(file: str, data: bytes, *, private: bool = False) -> None:
    """Write beside the file, then rename: nobody ever sees a part of it under its name.

    `private`: readable by its owner alone. A pipe or a device gets the bytes directly. Raises CannotWrite: no folder, no permission, no room.
    """
    path = Path(file)
    temporary = None
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        path = path.resolve()  # a symbolic link stays one
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as out:
            temporary = Path(out.name)
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(0o600 if private else _mode(path))
        temporary.replace(path)
    except OSError as exc:
        if temporary:
            temporary.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {file}: {exc.strerror or exc}") from exc
    except BaseException:
        if temporary:
            temporary.unlink(missing_ok=True)
        raise


def read_bounded(file: str, most: int) -> bytes:
    """A file of at most so many bytes. Raises BadInput: no file, no permission, too large."""
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(most + 1)
    except (OSError, ValueError) as exc:  # a NUL in the name
        raise BadInput(f"cannot read {file!r}: {getattr(exc, 'strerror', None) or exc}") from exc
    if len(data) > most:
        raise BadInput(f"{file} is larger than {most >> 20} MiB")
    return data


def _mode(path: Path) -> int:
    """Permissions of the file that is replaced, or as the shell would have made it."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
