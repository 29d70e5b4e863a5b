"""What a captured packet says of a marked probe: a pure function on bytes that anybody may send."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.agent.mark import MARK_BYTES, Mark, read
from kubectl_netdoctor.agent.question import TOKEN_BYTES
from kubectl_netdoctor.facts.companion import PORT
from kubectl_netdoctor.facts.hops import Wrap

_ICMP, _IPIP, _UDP, _IP6IP, _ICMP6 = 1, 4, 17, 41, 58
_REQUESTS, _ANSWERS = {(_ICMP, 8), (_ICMP6, 128)}, {(_ICMP, 0), (_ICMP6, 129)}
_LATER_FRAGMENT = 0x1FFF
_VXLAN_HAS_VNI = 0x08
_ETHERNET, _TYPE_IP, _TYPE_IP6, _TYPE_ETHERNET = 14, 0x0800, 0x86DD, 0x6558
_NUMBER_AT = 6  # of the four bytes after a mark and a prefix: the lower half


@dataclass(frozen=True, slots=True)
class Seen:
    """One marked packet: its mark, its own addresses, and what was around it."""

    mark: Mark
    protocol: Literal["icmp", "udp"]
    answer: bool
    sequence: int
    size: int  # of the inner IP packet
    source: bytes
    destination: bytes
    wrap: Wrap
    outer: bytes | None


@dataclass(frozen=True, slots=True)
class _Packet:
    """An IP packet whose first part is here."""

    protocol: int
    source: bytes
    destination: bytes
    size: int
    rest: bytes


def parse(data: bytes, magic: bytes) -> Seen | None:
    """The probe in a packet that begins with its IP header; None where there is none of this run."""
    packet = _packet(data)
    if packet is None:
        return None
    found = _probe(packet, magic, "none", None)
    if found is not None:
        return found
    wrap: Wrap
    for wrap, inner in _inside(packet):
        within = _packet(inner)
        found = _probe(within, magic, wrap, packet.destination) if within else None
        if found is not None:
            return found
    return None


def address(raw: bytes) -> str:
    """An IP address in words."""
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _packet(data: bytes) -> _Packet | None:
    if len(data) < 20:
        return None
    version = data[0] >> 4
    if version == 4:
        length = (data[0] & 15) * 4
        size, fragment = struct.unpack_from("!2xH2xH", data)
        if length < 20 or fragment & _LATER_FRAGMENT:
            return None
        return _Packet(data[9], data[12:16], data[16:20], size, data[length:])
    if version == 6 and len(data) >= 40:
        size = int.from_bytes(data[4:6], "big") + 40
        return _Packet(data[6], data[8:24], data[24:40], size, data[40:])
    return None


def _probe(packet: _Packet, magic: bytes, wrap: Wrap, outer: bytes | None) -> Seen | None:
    rest = packet.rest
    if len(rest) < 8 + MARK_BYTES:
        return None
    protocol: Literal["icmp", "udp"] = "udp" if packet.protocol == _UDP else "icmp"
    if protocol == "udp":
        from_port, to_port = struct.unpack_from("!HH", rest)
        answer = from_port == PORT
        payload = rest[8:] if answer else rest[8 + TOKEN_BYTES :]
        if PORT not in (from_port, to_port):
            return None
        number = payload[MARK_BYTES + _NUMBER_AT : MARK_BYTES + _NUMBER_AT + 2]
    else:
        kind = (packet.protocol, rest[0])
        answer = kind in _ANSWERS
        if not answer and kind not in _REQUESTS:
            return None
        payload, number = rest[8:], rest[6:8]
    found = read(payload, magic)
    if found is None:
        return None
    return Seen(
        found, protocol, answer, int.from_bytes(number, "big"), packet.size,
        packet.source, packet.destination, wrap, outer,
    )  # fmt: skip


def _inside(packet: _Packet) -> list[tuple[Wrap, bytes]]:
    """The packets that may be in this one, by every way that their headers allow."""
    rest = packet.rest
    if packet.protocol in (_IPIP, _IP6IP):
        return [("ipip", rest)]
    if packet.protocol != _UDP or len(rest) < 16:
        return []
    found: list[tuple[Wrap, bytes]] = []
    if rest[8] & _VXLAN_HAS_VNI:
        found.append(("vxlan", _behind_ethernet(rest[16:])))
    # Geneve, RFC 8926: version 0, words of options, the type of what follows.
    kind = int.from_bytes(rest[10:12], "big")
    if rest[8] >> 6 == 0:
        after = rest[16 + 4 * (rest[8] & 0x3F) :]
        if kind == _TYPE_ETHERNET:
            found.append(("geneve", _behind_ethernet(after)))
        elif kind in (_TYPE_IP, _TYPE_IP6):
            found.append(("geneve", after))
    return found


def _behind_ethernet(data: bytes) -> bytes:
    """The IP packet of an untagged Ethernet frame; nothing for another frame."""
    kind = int.from_bytes(data[12:14], "big")
    return data[_ETHERNET:] if kind in (_TYPE_IP, _TYPE_IP6) else b""
