"""Packets of the run's own marked probes, as a node's agent kept them for `scan --pcap`.

They travel beside the report, in a frame of their own: a snapshot never holds them, and what is
wrong with them costs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts import codec
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.framing import framed, unframed
from kubectl_netdoctor.facts.hops import TapRole

PACKET_BYTES = 160  # of one packet from its IP header on: the headers of a tunnel too, and the mark
FLOW_PACKETS = 10  # the first ones of each flow, on each interface and in each direction
NODE_PACKETS = 4000
RUN_PACKETS = 300_000  # of all nodes of a run together

HEADER_BYTES = 16  # LINKTYPE_LINUX_SLL: what stands before the IP header
NAME_BYTES = 15  # of an interface, linux/if.h
_MOST_BYTES = (NODE_PACKETS + 1) * (2 * (HEADER_BYTES + PACKET_BYTES) + 256)  # as JSON
_MOST_SIZE = 1 << 17  # of a packet before it was cut
_WORD = "netdoctor/captures"
_WHAT = "list of packets"


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet on one interface, `at` Unix nanoseconds by the node's clock.

    `head` is hexadecimal, a header as LINKTYPE_LINUX_SLL has it and the packet's first bytes;
    `size` is that of header and packet before they were cut.
    """

    interface: str
    role: TapRole
    at: int
    size: int
    head: str


@dataclass(frozen=True, slots=True)
class Captures:
    """All packets that one node kept; `left_out`: marked ones that it saw and did not keep."""

    run: str
    node: str
    packets: tuple[Packet, ...]
    left_out: int


def share(nodes: int) -> int:
    """How many packets each of so many nodes may keep."""
    return min(NODE_PACKETS, RUN_PACKETS // max(1, nodes))


def node_bytes(packets: int) -> int:
    """What so many packets have at most."""
    return packets * (HEADER_BYTES + PACKET_BYTES)


def frame(captures: Captures) -> str:
    """The log form."""
    return framed(_WORD, codec.dumps(captures).encode())


def unframe(log: bytes, run: str, node: str, most: int) -> Captures:
    """Read a log that holds frame()'s form of that run and node, with so many packets at most.

    Raises DecodeError, also for what is out of bounds: it comes from a node.
    """
    raw = unframed(log, _WORD, _WHAT, _MOST_BYTES)
    found = codec.decode(Captures, codec.loads(raw))
    if (found.run, found.node) != (run, node):
        raise DecodeError(f"the {_WHAT} is of another run or node")
    if len(found.packets) > most:
        raise DecodeError(f"the {_WHAT} has {len(found.packets)}, more than {most}")
    for packet in found.packets:
        _check(packet)
    return found


def _check(packet: Packet) -> None:
    name = packet.interface
    if not name or not name.isprintable() or len(name.encode(errors="replace")) > NAME_BYTES:
        raise DecodeError(f"the {_WHAT} has a bad name of an interface")
    try:
        length = len(bytes.fromhex(packet.head))
    except ValueError as exc:
        raise DecodeError(f"the {_WHAT} has a packet that is not hexadecimal") from exc
    if not HEADER_BYTES < length <= min(HEADER_BYTES + PACKET_BYTES, packet.size):
        raise DecodeError(f"the {_WHAT} has a packet of a wrong length")
    if not (0 <= packet.at < 1 << 63 and packet.size <= _MOST_SIZE):
        raise DecodeError(f"the {_WHAT} has a packet of a wrong time or size")
