"""Driver name and features of a link by the ethtool ioctl (linux/ethtool.h), which needs no rights.

The ioctl asks the socket's network namespace; /sys of a container may show another one.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
_GDRVINFO, _GSTRINGS, _GSSET_INFO, _GFEATURES = 0x03, 0x1B, 0x37, 0x3A
_SS_FEATURES = 4
_STRING_BYTES = 32  # ETH_GSTRING_LEN
_BLOCK_BITS = 32
_NAMES: list[str] = []


def driver(interface: str) -> str | None:
    """ETHTOOL_GDRVINFO, None for a link whose driver tells nothing."""
    reply = _ask(interface, struct.pack("=I192x", _GDRVINFO))
    if reply is None:
        return None
    return reply[4:36].split(b"\0", 1)[0].decode("ascii", "replace") or None


def features(interface: str) -> dict[str, bool]:
    """Features by the kernel's own names: those that are on, and those that could be.

    A feature that is not in the mapping is off and stays off with this driver.
    """
    names = _names(interface)
    blocks = (len(names) + _BLOCK_BITS - 1) // _BLOCK_BITS
    reply = _ask(interface, struct.pack("=II", _GFEATURES, blocks) + bytes(16 * blocks))
    if reply is None or not names:
        return {}
    out: dict[str, bool] = {}
    for index, name in enumerate(names):
        block, bit = divmod(index, _BLOCK_BITS)
        available, _, active, never = struct.unpack_from("=IIII", reply, 8 + 16 * block)
        mask = 1 << bit
        if name and (active & mask or (available & mask and not never & mask)):
            out[name] = bool(active & mask)
    return out


def _names(interface: str) -> tuple[str, ...]:
    """ETH_SS_FEATURES, the names of the kernel's features in their order, the same for all links."""
    if not _NAMES:
        _NAMES.extend(_read_names(interface))
    return tuple(_NAMES)


def _read_names(interface: str) -> list[str]:
    reply = _ask(interface, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _SS_FEATURES, 0))
    if reply is None:
        return []
    count = struct.unpack_from("=I", reply, 16)[0]
    reply = _ask(
        interface,
        struct.pack("=III", _GSTRINGS, _SS_FEATURES, count) + bytes(_STRING_BYTES * count),
    )
    if reply is None:
        return []
    raw = reply[12:]
    return [
        raw[i : i + _STRING_BYTES].split(b"\0", 1)[0].decode("ascii", "replace")
        for i in range(0, len(raw), _STRING_BYTES)
    ]


def _ask(interface: str, request: bytes) -> bytes | None:
    """One ethtool request; None where the link does not answer it."""
    buffer = array.array("B", request)
    address, _ = buffer.buffer_info()
    ifreq = struct.pack("16sP8x", interface.encode()[:15], address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            fcntl.ioctl(sock.fileno(), _SIOCETHTOOL, ifreq)
        except OSError:
            return None
    return buffer.tobytes()
