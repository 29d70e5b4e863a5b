"""Captures as an agent hands them over, made of marked probes."""

from __future__ import annotations

from kubectl_netdoctor.agent.kept import Kept
from kubectl_netdoctor.facts.captures import Captures
from kubectl_netdoctor.facts.plan import Plan
from tests.unit.agent.marked_packets import PACKETS

NOON = 1_790_000_000_123_456_789  # Unix nanoseconds
SENDER = bytes.fromhex("0200000000aa")


def kept(plan: Plan) -> Captures:
    """Every kind of marked packet, in on the NIC and out of the pod's own end of the same name."""
    found = Kept(plan.keep_packets, bytes.fromhex(plan.responder_token))
    for number, data in enumerate(PACKETS.values()):
        protocol = 0x86DD if data[0] >> 4 == 6 else 0x0800
        found.offer("nic", 1, data, ("eth0", protocol, 0, 1, SENDER), NOON - number)
        found.offer("pod", 1, data, ("eth0", protocol, 4, 1, SENDER), NOON + number)
    return found.captures(plan)
