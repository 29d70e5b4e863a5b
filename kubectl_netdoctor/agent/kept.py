"""Keeps the first packets of every flow of marked probes, in bounds: `scan --pcap`."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from kubectl_netdoctor.facts.captures import FLOW_PACKETS, PACKET_BYTES, Captures, Packet
from kubectl_netdoctor.facts.hops import TapRole
from kubectl_netdoctor.facts.plan import Plan

Source = tuple[str, int, int, int, bytes]
"""Where packet(7) has a packet from: interface, protocol, packet type, ARPHRD, sender's address."""

_HEADER = struct.Struct("!HHH8sH")  # LINKTYPE_LINUX_SLL


@dataclass(slots=True)
class Kept:
    """What was kept so far, `most` packets at most."""

    most: int
    token: bytes  # what questions carry beside their mark; nobody else shall read it
    rounds: list[list[Packet]] = field(default_factory=lambda: [[] for _ in range(FLOW_PACKETS)])
    left_out: int = 0

    @classmethod
    def by(cls, plan: Plan) -> Kept | None:
        """None where the plan asks for no packets."""
        if not plan.keep_packets:
            return None
        return cls(plan.keep_packets, bytes.fromhex(plan.responder_token))

    def offer(self, role: TapRole, number: int, data: bytes, source: Source, at: int) -> None:
        """Keep a marked packet, the `number`th of its flow, while the bounds allow it.

        Where there is no room left, the first packets of a flow take that of others' later ones.
        """
        if number > FLOW_PACKETS or not self._has_room(number):
            self.left_out += 1
            return
        if self.token:
            data = data.replace(self.token, bytes(len(self.token)))
        interface, protocol, kind, hardware, sender = source
        header = _HEADER.pack(kind, hardware, len(sender), sender[:8], protocol)
        head = header + data[:PACKET_BYTES]
        packet = Packet(interface, role, at, len(header) + size_of(data), head.hex())
        self.rounds[number - 1].append(packet)

    def _has_room(self, number: int) -> bool:
        if sum(map(len, self.rounds)) < self.most:
            return True
        later = next((packets for packets in reversed(self.rounds[number:]) if packets), None)
        if later is None:
            return False
        later.pop()
        self.left_out += 1
        return True

    @property
    def packets(self) -> list[Packet]:
        """All that is kept, the first ones of each flow first."""
        return [packet for packets in self.rounds for packet in packets]

    def captures(self, plan: Plan) -> Captures:
        """The wire form."""
        return Captures(plan.run, plan.node, tuple(self.packets), self.left_out)


def size_of(data: bytes) -> int:
    """Bytes that an IP packet had before it was cut."""
    if data[0] >> 4 == 6:
        return max(len(data), int.from_bytes(data[4:6], "big") + 40)
    return max(len(data), int.from_bytes(data[2:4], "big"))
