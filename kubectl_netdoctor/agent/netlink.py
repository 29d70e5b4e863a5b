"""rtnetlink(7) dumps: a plain socket carries them, pyroute2's message classes read them.

Only the message classes of pyroute2 are imported, not its front door: that one imports the whole
library (a database, ipset, wireguard …) and takes four times as long and 10 MB more.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import ipaddress
import os
import socket
import struct
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from kubectl_netdoctor.agent.absence import (
    Absence,
    Denied,
    NotPresent,
    TooSlow,
    Unreadable,
    not_installed,
)

_ERROR, _DONE = 2, 3  # NLMSG_*
_REQUEST, _MULTI, _CHANGED, _DUMP = 0x1, 0x2, 0x10, 0x300  # NLM_F_*, the third is DUMP_INTR
_HEADER = struct.Struct("=IHHII")
_RECEIVE_BYTES = 1 << 18
_TIMEOUT_SECONDS = 5.0
_TRIES = 3  # a dump that changed under its reader is read again, as ip(8) does
_RTM_GETROUTE = 26
_MARSHAL = "pyroute2.netlink.rtnl.marshal"
_IMPORTING = threading.Lock()

Message = Mapping[str, Any]
"""One netlink message: header fields and attributes by name, nested attributes as mappings."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One kind of dump: request type, its fixed header, and the attributes that are wanted."""

    request: int
    header: bytes
    wanted: frozenset[str]


def _dump(request: int, header: bytes, wanted: str) -> Dump:
    return Dump(request, header, frozenset(wanted.split()))


_ROUTE = (
    "RTA_DST RTA_OIF RTA_GATEWAY RTA_VIA RTA_PRIORITY RTA_PREFSRC RTA_METRICS RTAX_MTU "
    "RTA_MULTIPATH RTA_TABLE"
)
_LINK = (
    "IFLA_IFNAME IFLA_LINK IFLA_MTU IFLA_ADDRESS IFLA_OPERSTATE IFLA_MASTER IFLA_NUM_RX_QUEUES "
    "IFLA_NUM_TX_QUEUES IFLA_STATS64 IFLA_LINKINFO IFLA_INFO_KIND IFLA_INFO_DATA "
    "IFLA_INFO_SLAVE_KIND IFLA_INFO_SLAVE_DATA IFLA_BRPORT_MODE IFLA_VXLAN_ID IFLA_VXLAN_PORT "
    "IFLA_VXLAN_LOCAL IFLA_VXLAN_LOCAL6 IFLA_VXLAN_LINK IFLA_VXLAN_LEARNING "
    "IFLA_VXLAN_COLLECT_METADATA"
)
DUMPS = {
    # The headers are zero, which asks for every family, but for the forwarding database.
    "links": _dump(18, bytes(16), _LINK),
    "addresses": _dump(22, bytes(8), "IFA_ADDRESS IFA_LOCAL"),
    "routes": _dump(_RTM_GETROUTE, bytes(12), _ROUTE),
    "neighbours": _dump(30, bytes(12), "NDA_DST NDA_LLADDR"),
    "fdb": _dump(30, bytes([socket.AF_BRIDGE, *bytes(11)]), "NDA_DST NDA_LLADDR NDA_PORT NDA_VNI"),
    "rules": _dump(
        34, bytes(12), "FRA_DST FRA_SRC FRA_IIFNAME FRA_OIFNAME FRA_PRIORITY FRA_FWMARK FRA_TABLE"
    ),
}


def dump(name: str) -> Iterator[Message]:
    """Messages of one dump. Raises NotPresent, Denied or Unreadable."""
    spec = DUMPS[name]
    classes = message_classes()
    for _ in range(_TRIES):
        packets, changed = _exchange(spec.request, _REQUEST | _DUMP, spec.header)
        if not changed:
            break
    for packet in packets:
        yield from _decode(packet, classes, spec.wanted)


def route_to(address: str) -> Message:
    """The route that the kernel takes to an address, as `ip route get` shows it.

    Raises NotPresent where there is none.
    """
    target = ipaddress.ip_address(address)
    family = socket.AF_INET if target.version == 4 else socket.AF_INET6
    header = struct.pack("=BBBBBBBBI", family, target.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    attribute = struct.pack("=HH", 4 + len(target.packed), 1) + target.packed
    packets, _ = _exchange(_RTM_GETROUTE, _REQUEST, header + attribute)
    for packet in packets:
        for message in _decode(packet, message_classes(), DUMPS["routes"].wanted):
            return message
    raise NotPresent(f"no route to {address}")


@cache
def message_classes() -> dict[int, Any]:
    """pyroute2's class of each message type. Raises NotPresent where pyroute2 is not installed."""
    with _IMPORTING:
        if "pyroute2" in sys.modules:
            return dict(importlib.import_module(_MARSHAL).MarshalRtnl.msg_map)
        spec = importlib.util.find_spec("pyroute2")
        if spec is None or spec.submodule_search_locations is None:
            raise NotPresent(not_installed("pyroute2"))
        door = types.ModuleType("pyroute2")
        door.__path__ = list(spec.submodule_search_locations)
        sys.modules["pyroute2"] = door
        try:
            return dict(importlib.import_module(_MARSHAL).MarshalRtnl.msg_map)
        finally:
            del sys.modules["pyroute2"]  # whoever wants the whole library still gets it


def _exchange(kind: int, flags: int, body: bytes) -> tuple[list[bytes], bool]:
    """Packets of the answer, and whether the table changed under the dump."""
    packets: list[bytes] = []
    changed = False
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(_TIMEOUT_SECONDS)
        sock.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
        while True:
            packet = _receive(sock)
            packets.append(packet)
            for offset, _, got, marks in split(packet):
                changed = changed or bool(marks & _CHANGED)
                if got == _ERROR:
                    raise _refusal(struct.unpack_from("=i", packet, offset + _HEADER.size)[0])
                if got == _DONE or not marks & _MULTI:
                    return packets, changed


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(_RECEIVE_BYTES)
    except TimeoutError:
        raise TooSlow(f"netlink: no answer within {_TIMEOUT_SECONDS:.0f} s") from None


def split(packet: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Offset, length, type and flags of each message in a packet."""
    offset = 0
    while offset + _HEADER.size <= len(packet):
        length, kind, flags, _, _ = _HEADER.unpack_from(packet, offset)
        if length < _HEADER.size or offset + length > len(packet):
            raise Unreadable("a netlink message is cut off")
        yield offset, length, kind, flags
        offset += (length + 3) & ~3


def _refusal(status: int) -> Absence:
    code = -status
    text = os.strerror(code)
    if code in (errno.EPERM, errno.EACCES):
        return Denied(f"needs root: netlink: {text}")
    if code in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.ENETUNREACH, errno.EHOSTUNREACH):
        return NotPresent(f"netlink: {text}")
    return Unreadable(f"netlink: {text}")


def _decode(packet: bytes, classes: dict[int, Any], wanted: frozenset[str]) -> Iterator[Message]:
    for offset, _, kind, _ in split(packet):
        if kind in (_ERROR, _DONE) or kind not in classes:
            continue
        message = classes[kind](packet, offset=offset)
        message.decode()
        yield _plain(message, wanted)


def _plain(message: Any, wanted: frozenset[str]) -> dict[str, Any]:
    """Fields and wanted attributes of a pyroute2 message as a mapping that JSON can hold."""
    out = {name: message[name] for name, _ in message.fields if name in message}
    for slot in message.get("attrs") or ():
        name = slot[0]
        if name in wanted:
            out[name] = _value(slot[1], wanted)
    return out


def _value(value: Any, wanted: frozenset[str]) -> Any:
    if hasattr(value, "fields"):
        return _plain(value, wanted)
    if isinstance(value, list | tuple):
        return [_value(item, wanted) for item in value]
    return value
