"""Marked probes as bytes: alone, and inside every kind of tunnel that captures look into."""

from __future__ import annotations

import socket
import struct

from kubectl_netdoctor.agent.mark import magic, mark
from kubectl_netdoctor.agent.question import question
from kubectl_netdoctor.facts.companion import PORT
from kubectl_netdoctor.facts.hops import ProbeKind

RUN = "feed0001"
MAGIC = magic(RUN)
NUMBER = 7


def ip(protocol: int, rest: bytes, *, to: str = "10.9.0.2", options: int = 0) -> bytes:
    """An IPv4 packet."""
    length = 20 + 4 * options
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(rest), 1, 0, 64, protocol, 0,
        socket.inet_aton("10.9.0.1"), socket.inet_aton(to),
    )  # fmt: skip
    return head + bytes(4 * options) + rest


def ip6(protocol: int, rest: bytes) -> bytes:
    """An IPv6 packet."""
    ends = (socket.inet_pton(socket.AF_INET6, a) for a in ("fd00::1", "fd00::2"))
    return struct.pack("!IHBB", 6 << 28, len(rest), protocol, 64) + b"".join(ends) + rest


def echo(kind: ProbeKind = "node", icmp: int = 8, run: str = RUN, size: int = 16) -> bytes:
    """An ICMP message with a mark."""
    said = mark(run, kind, "n1", "n3")
    return struct.pack("!BBHHH", icmp, 0, 0, 99, NUMBER) + said + bytes(size - 16)


def udp(rest: bytes, source: int = 40000, destination: int = 40001) -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", source, destination, 8 + len(rest), 0) + rest


def asked(*, answer: bool) -> bytes:
    """A question to a companion, or its answer."""
    nonce = mark(RUN, "pod", "n1", "n3") + b"abcd" + NUMBER.to_bytes(4, "big")
    if answer:
        return udp(nonce, PORT, 40000)
    return udp(question(bytes(16), nonce), 40000, PORT)


def frame(packet: bytes) -> bytes:
    """An Ethernet frame."""
    return bytes(12) + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


def vxlan(packet: bytes, port: int = 8472) -> bytes:
    """In VXLAN, on any port."""
    return udp(b"\x08\0\0\0\0\0\x01\0" + frame(packet), destination=port)


def geneve(packet: bytes, options: int = 0) -> bytes:
    """In Geneve, with words of options."""
    return udp(bytes([options, 0, 0x65, 0x58, 0, 0, 1, 0]) + bytes(4 * options) + frame(packet))


PACKETS: dict[str, bytes] = {
    "plain": ip(1, echo()),
    "options": ip(1, echo(), options=3),
    "large": ip(1, echo("node-size", size=900)),
    "reply": ip(1, echo(icmp=0)),
    "question": ip(17, asked(answer=False)),
    "answer": ip(17, asked(answer=True)),
    "vxlan": ip(17, vxlan(ip(1, echo("overlay")))),
    "vxlan_question": ip(17, vxlan(ip(17, asked(answer=False)), 4789)),
    "vxlan_answer": ip(17, vxlan(ip(17, asked(answer=True)))),
    "vxlan_ip6_inside": ip(17, vxlan(ip6(58, echo(icmp=128)))),
    "geneve": ip(17, geneve(ip(1, echo("overlay")))),
    "geneve_options": ip(17, geneve(ip(1, echo("overlay")), 3)),
    "ipip": ip(4, ip(1, echo("overlay"))),
    "ip6": ip6(58, echo(icmp=128)),
    "vxlan_ip6_outside": ip6(17, vxlan(ip(1, echo("overlay")))),
}
"""What a capture must let through and understand."""
OTHERS: dict[str, bytes] = {
    "empty": b"",
    "no_ip": bytes(60),
    "another_run": ip(1, echo(run="another")),
    "unmarked": ip(1, struct.pack("!BBHHH", 8, 0, 0, 99, 1) + bytes(56)),
    "tcp": ip(6, bytes(20) + b"data" * 20),
    "cut_off": ip(1, echo())[:30],
    "vxlan_of_others": ip(17, vxlan(ip(6, bytes(60)))),
    "vxlan_cut_off": ip(17, vxlan(ip(1, echo()))[:60]),
    "arp_in_vxlan": ip(17, udp(b"\x08\0\0\0\0\0\x01\0" + bytes(12) + b"\x08\x06" + bytes(28))),
}
"""What it must not."""
