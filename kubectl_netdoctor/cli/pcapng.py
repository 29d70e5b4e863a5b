"""Packets as a pcapng file: draft-ietf-opsawg-pcapng. Wireshark, tshark, tcpdump and scapy read it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LINUX_COOKED = 113  # LINKTYPE_LINUX_SLL, https://www.tcpdump.org/linktypes.html
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6  # kinds of blocks
_END, _COMMENT, _PROGRAM = 0, 1, 4  # options of a section
_NAME, _DESCRIPTION, _RESOLUTION = 2, 3, 9  # options of an interface
_NANOSECONDS = b"\x09"
_ANY_LENGTH = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet: on which interface, Unix nanoseconds, its first bytes, its whole size."""

    interface: tuple[str, str]  # name and description
    at: int
    data: bytes
    size: int


def pcapng(frames: Iterable[Frame], *, program: str, comment: str, most: int) -> bytes:
    """One section with an interface for each that has packets, which stand in the order of time.

    `most`: bytes of a packet that may have been kept.
    """
    frames = sorted(frames, key=lambda frame: frame.at)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(f.interface for f in frames))}
    about = {_COMMENT: comment.encode("utf-8", "replace"), _PROGRAM: program.encode()}
    head = struct.pack("<IHHQ", 0x1A2B3C4D, 1, 0, _ANY_LENGTH)
    blocks = [_block(_SECTION, head + _options(about))]
    for name, description in numbers:
        own = {
            _NAME: name.encode("utf-8", "replace"),
            _DESCRIPTION: description.encode("utf-8", "replace"),
            _RESOLUTION: _NANOSECONDS,
        }
        blocks.append(
            _block(_INTERFACE, struct.pack("<HHI", LINUX_COOKED, 0, most) + _options(own))
        )
    for frame in frames:
        fixed = struct.pack(
            "<IIIII", numbers[frame.interface], frame.at >> 32, frame.at & 0xFFFF_FFFF,
            len(frame.data), frame.size,
        )  # fmt: skip
        blocks.append(_block(_PACKET, fixed + _padded(frame.data)))
    return b"".join(blocks)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _options(values: Mapping[int, bytes]) -> bytes:
    each = (struct.pack("<HH", code, len(data)) + _padded(data) for code, data in values.items())
    return b"".join(each) + struct.pack("<HH", _END, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
