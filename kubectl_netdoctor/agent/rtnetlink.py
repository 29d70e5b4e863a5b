"""Names and forms that the rtnetlink facts share: families, scopes, protocols, states."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

FAMILIES = {int(socket.AF_INET): 4, int(socket.AF_INET6): 6}

_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_KINDS = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
    10: "nat",
}
_PROTOCOLS = {
    # linux/rtnetlink.h, RTPROT_*
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    17: "mrouted",
    18: "keepalived",
    42: "babel",
    84: "ovn",
    99: "openr",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}
_STATES = {
    # linux/neighbour.h, NUD_*
    0x00: "none",
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x40: "noarp",
    0x80: "permanent",
}
_NUD_PERMANENT = 0x80
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - the text of a default route, nothing is bound


def scope(number: int) -> str:
    """RT_SCOPE_* by name, or the number."""
    return _SCOPES.get(number, str(number))


def route_kind(number: int) -> str:
    """RTN_* by name, or the number."""
    return _KINDS.get(number, str(number))


def protocol(number: int) -> str:
    """RTPROT_* by name, or the number."""
    return _PROTOCOLS.get(number, str(number))


def neighbour_state(number: int) -> str:
    """NUD_* by name, or the number. A forwarding entry that is permanent is often noarp too."""
    if number & _NUD_PERMANENT:
        return "permanent"
    return _STATES.get(number, str(number))


def is_group(lladdr: str) -> bool:
    """Whether a MAC address is of a multicast group; zero, a vxlan's default entry, is not."""
    first = lladdr.partition(":")[0]
    return len(first) == 2 and bool(int(first, 16) & 1)


def network(family: int, address: str | None, length: int) -> str:
    """CIDR of an address and prefix length; no address is the default route."""
    return f"{address or _ANY[family]}/{length}"


def bounded(items: Iterable[T], most: int) -> tuple[tuple[T, ...], int]:
    """The first `most` items, and how many more there were."""
    kept: list[T] = []
    more = 0
    for item in items:
        if len(kept) < most:
            kept.append(item)
        else:
            more += 1
    return tuple(kept), more
