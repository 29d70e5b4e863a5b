"""A classic BPF program that lets through packets with this run's mark, and nothing else.

It sees a packet from its IP header on. The mark is looked for behind an ICMP or UDP header, alone
or inside VXLAN, Geneve or IP-in-IP. TCP, which is most of what a node carries, is refused at once.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterator

from kubectl_netdoctor.agent.question import TOKEN_BYTES

SNAP_BYTES = 224  # more than the farthest mark's end

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter, linux/filter.h
# linux/bpf_common.h: class | size or operation | mode or source.
_LOAD_BYTE, _LOAD_WORD_AT_X, _LOAD_BYTE_AT_X = 0x30, 0x40, 0x50
_X_IS_HEADER, _X_IS = 0xB1, 0x01  # X = 4 * (packet[k] & 15); X = k
_AND, _SHIFT, _RIGHT, _ADD_X, _TO_X = 0x54, 0x64, 0x74, 0x0C, 0x07
_IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x15, 0x35, 0x06
_LENGTH, _SUBTRACT_X = 0x80, 0x1C

_TRANSPORT, _ETHERNET, _TUNNEL = 8, 14, 8  # ICMP and UDP alike; VXLAN and Geneve
_HEADERS = (20, 40)  # IPv4, IPv6
_PROTOCOL_AT = {4: 9, 6: 6}  # by IP version
_TCP = 6
_QUESTION = TOKEN_BYTES  # what a question has before its mark; answers have nothing
_GENEVE_OPTIONS = 0x3F  # of its first byte: words of options


def places() -> tuple[int, ...]:
    """Offsets of marks from the end of the first IP header, ascending."""
    ends = (_TRANSPORT, _TRANSPORT + _QUESTION)
    inner = (_TRANSPORT + _TUNNEL + _ETHERNET + header for header in _HEADERS)
    starts = (0, *_HEADERS, *inner)
    return tuple(sorted({start + end for start in starts for end in ends}))


def program(magic: bytes) -> bytes:
    """The instructions; `magic` is the mark's first four bytes or more."""
    word = int.from_bytes(magic[:4], "big")
    body = [*_find(places(), word), *_behind_options(), *_find(_far_places(), word)]
    head = [
        (_LOAD_BYTE, 0, 0, 0),
        (_RIGHT, 0, 0, 4),
        (_IF_EQUAL, 0, 3, 4),
        (_X_IS_HEADER, 0, 0, 0),
        (_LOAD_BYTE, 0, 0, _PROTOCOL_AT[4]),
        (_IF_EQUAL, 3, 4, _TCP),
        (_X_IS, 0, 0, 40),
        (_LOAD_BYTE, 0, 0, _PROTOCOL_AT[6]),
        (_IF_EQUAL, 0, 1, _TCP),
        (_RETURN, 0, 0, 0),
    ]
    tail = [(_RETURN, 0, 0, 0)]
    return b"".join(_INSTRUCTION.pack(*each) for each in (*head, *body, *tail))


def _find(offsets: tuple[int, ...], word: int) -> Iterator[tuple[int, int, int, int]]:
    """Return the packet's head where the word is at one of these places."""
    for offset in offsets:
        # A load beyond the end would end the program, and there may be a place to come.
        yield _LENGTH, 0, 0, 0
        yield _SUBTRACT_X, 0, 0, 0
        yield _IF_AT_LEAST, 0, 3, offset + 4
        yield _LOAD_WORD_AT_X, 0, 0, offset
        yield _IF_EQUAL, 0, 1, word
        yield _RETURN, 0, 0, SNAP_BYTES


def _behind_options() -> Iterator[tuple[int, int, int, int]]:
    """Move X by the length of a Geneve header's options."""
    yield _LOAD_BYTE_AT_X, 0, 0, _TRANSPORT  # a packet without it is none of ours
    yield _AND, 0, 0, _GENEVE_OPTIONS
    yield _SHIFT, 0, 0, 2
    yield _ADD_X, 0, 0, 0
    yield _TO_X, 0, 0, 0


def _far_places() -> tuple[int, ...]:
    return tuple(p for p in places() if p >= _TRANSPORT + _TUNNEL + _ETHERNET + min(_HEADERS))


def attach(sock: socket.socket, magic: bytes) -> None:
    """Have the kernel hand this socket marked packets only. Raises OSError."""
    code = program(magic)
    buffer = ctypes.create_string_buffer(code, len(code))
    count = len(code) // _INSTRUCTION.size
    pointer = struct.pack("@HP", count, ctypes.addressof(buffer))  # struct sock_fprog
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)
