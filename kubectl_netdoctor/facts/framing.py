"""Bytes among the lines of a log: a first line with size and checksum, the content, an end line."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable

from kubectl_netdoctor.facts.base import SCHEMA_VERSION
from kubectl_netdoctor.facts.codec import DecodeError

LINE = 4096  # characters; the CRI splits log lines at 16 KiB
_BEGIN = re.compile(rb"^[a-z/]+ schema=(\d{1,9}) bytes=(\d{1,12}) sha256=([0-9a-f]{64})$")
_END = b"netdoctor/end"


def framed(word: str, raw: bytes) -> str:
    """One begin line with that word, base64 of the deflated bytes in short lines, one end line."""
    body = base64.b64encode(zlib.compress(raw, 6)).decode()
    digest = hashlib.sha256(raw).hexdigest()
    lines = [f"{word} schema={SCHEMA_VERSION} bytes={len(raw)} sha256={digest}"]
    lines += [body[i : i + LINE] for i in range(0, len(body), LINE)]
    return "\n".join([*lines, _END.decode()]) + "\n"


def unframed(log: bytes, word: str, what: str, most: int) -> bytes:
    """The bytes of the last frame that begins with a word; lines around it are skipped.

    `what` it holds is for the message, `most` bytes are inflated. Raises DecodeError: no frame, cut
    off, damaged, too large, another schema.
    """
    lines = log.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(word.encode())]
    if not starts:
        raise DecodeError(f"the log holds no {what} of the agent")
    begin = _BEGIN.match(lines[starts[-1]].rstrip())
    if begin is None:
        raise DecodeError(f"the {what}'s first line is damaged")
    try:
        end = lines.index(_END, starts[-1])
    except ValueError:
        raise DecodeError(f"the {what} is cut off") from None
    schema, size, digest = int(begin[1]), int(begin[2]), begin[3].decode()
    if schema != SCHEMA_VERSION:
        raise DecodeError(
            f"the agent speaks schema {schema}, this tool {SCHEMA_VERSION}: use its own image"
        )
    raw = inflate(b"".join(lines[starts[-1] + 1 : end]), size, base64.b64decode, what, most)
    if hashlib.sha256(raw).hexdigest() != digest:
        raise DecodeError(f"the {what}'s checksum does not fit")
    return raw


def inflate(
    body: bytes, size: int, decode: Callable[[bytes], bytes], what: str, most: int
) -> bytes:
    """So many bytes as were claimed, and no more in memory. Raises DecodeError."""
    if size > most:
        raise DecodeError(f"the {what} claims {size} bytes, more than {most}")
    try:
        raw: bytes = zlib.decompressobj().decompress(decode(body), size + 1)
    except (ValueError, zlib.error) as exc:
        raise DecodeError(f"the {what} is damaged: {exc}") from exc
    if len(raw) != size:
        more = "more" if len(raw) > size else "fewer"
        raise DecodeError(f"the {what} claims {size} bytes and has {more}")
    return raw
