"""gzip and, where this Python has it, Zstandard: both ways, and within bounds when reading."""

from __future__ import annotations

import gzip
import importlib
import zlib
from types import ModuleType
from typing import Any

from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts.codec import DecodeError

GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"


def compress(data: bytes, file: str) -> bytes:
    """Compressed as the file's name says. Raises BadInput for what this Python cannot write."""
    if file.endswith((".zst", ".zstd")):
        packed: bytes = zstandard(file).compress(data)
        return packed
    return gzip.compress(data, mtime=0)


def zstandard(file: str) -> Any:
    """The module of Python 3.14 and later, or the package `backports.zstd` of the same form."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module: ModuleType = importlib.import_module(name)
        except ImportError:
            continue
        return module
    hint = "use .gz, or run the tool with Python 3.14 or later"
    raise BadInput(f"{file}: this Python knows no Zstandard", hint=hint)


def unpack(data: bytes, limit: int, file: str) -> bytes:
    """What is inside, at most `limit` bytes. Raises DecodeError: damaged, cut off, too large."""
    if data.startswith(GZIP):
        stream: Any = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        what, errors = "gzip", (zlib.error,)
    elif data.startswith(ZSTANDARD):
        module = zstandard(file)
        stream = module.ZstdDecompressor()
        what, errors = "zstd", (module.ZstdError,)
    else:
        return data
    try:
        plain: bytes = stream.decompress(data, limit)
    except errors as exc:
        raise DecodeError(f"damaged {what}: {exc}") from exc
    if not stream.eof:
        raise DecodeError(f"the {what} is cut off, or too large when unpacked")
    if stream.unused_data:
        raise DecodeError(f"something follows the end of the {what}")
    return plain
