"""Captures on their way: whole, within the bounds that both ends know, or refused by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.agent.kept import Kept
from kubectl_netdoctor.facts import captures, codec
from kubectl_netdoctor.facts.captures import Captures, Packet
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.framing import framed
from tests.fixtures.plans import plan
from tests.unit.packets import kept

PLAN = plan(keep_packets=100)
CAPTURES = kept(PLAN)
FRAME = captures.frame(CAPTURES).encode()
HEAD = "00" * 60
GOOD = Packet("eth0", "nic", 1, 60, HEAD)


def read(log: bytes, most: int = 100) -> Captures:
    """As the laptop reads it."""
    return captures.unframe(log, PLAN.run, PLAN.node, most)


def of(*packets: Packet, **changes: Any) -> bytes:
    """A log with these packets."""
    whole = Captures(PLAN.run, PLAN.node, packets, 0)
    return captures.frame(dataclasses.replace(whole, **changes)).encode()


def test_they_arrive_as_they_were_kept() -> None:
    """Whatever stands around them."""
    assert read(b"noise\n" + FRAME + b"netdoctor/begin schema=1\n") == CAPTURES
    assert len(CAPTURES.packets) > 20


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (b"", "holds no list of packets"),
        (FRAME[:-20], "cut off"),
        (FRAME.replace(b"bytes=", b"bytes=9999"), "more than"),
        (FRAME.replace(b"sha256=", b"sha256=x"), "first line is damaged"),
        (framed("netdoctor/captures", b"[]").encode(), "expected an object"),
        (framed("netdoctor/captures", b"[" * 100_000).encode(), "not JSON"),
        (of(GOOD, run="another"), "another run or node"),
        (of(GOOD, node="another"), "another run or node"),
        (of(*[GOOD] * 101), "has 101, more than 100"),
        (of(dataclasses.replace(GOOD, interface="")), "bad name"),
        (of(dataclasses.replace(GOOD, interface="\x1b[2J")), "bad name"),
        (of(dataclasses.replace(GOOD, interface="\ud800")), "bad name"),
        (of(dataclasses.replace(GOOD, interface="e" * 16)), "bad name"),
        (of(dataclasses.replace(GOOD, head="xx")), "not hexadecimal"),
        (of(dataclasses.replace(GOOD, head="é" * 60)), "not hexadecimal"),
        (of(dataclasses.replace(GOOD, head="")), "wrong length"),
        (of(dataclasses.replace(GOOD, size=59)), "wrong length"),
        (of(dataclasses.replace(GOOD, size=500, head="00" * 177)), "wrong length"),
        (of(dataclasses.replace(GOOD, size=1 << 30)), "wrong time or size"),
        (of(dataclasses.replace(GOOD, at=-1)), "wrong time or size"),
        (of(dataclasses.replace(GOOD, at=1 << 63)), "wrong time or size"),
        (of(dataclasses.replace(GOOD, role="../../x")), "is none of"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_refused(log: bytes, words: str) -> None:
    """By one sentence without anything of the packets in it."""
    with pytest.raises(DecodeError, match=words) as raised:
        read(log)
    assert len(str(raised.value)) < 200


def test_a_flood_is_not_unpacked() -> None:
    """Its size is known before."""
    bomb = framed("netdoctor/captures", b"[" + b"0," * 4_000_000 + b"0]").encode()
    assert len(bomb) < 100_000
    with pytest.raises(DecodeError, match="claims 8000003 bytes, more than"):
        read(bomb)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FRAME) - 1), st.binary(min_size=1, max_size=3))
def test_a_changed_byte_never_changes_a_packet(at: int, junk: bytes) -> None:
    """Any change of the log gives the same captures or a DecodeError."""
    try:
        got = read(FRAME[:at] + junk + FRAME[at + len(junk) :])
    except DecodeError:
        return
    assert got == CAPTURES


OFFERS = st.lists(
    st.tuples(
        st.integers(1, 2 * captures.FLOW_PACKETS),
        st.binary(min_size=40, max_size=300).map(lambda data: b"\x45" + data),
        st.binary(max_size=20),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(offers=OFFERS, most=st.integers(1, 20))
def test_what_an_agent_keeps_is_within_the_bounds(
    offers: Iterable[tuple[int, bytes, bytes]], most: int
) -> None:
    """However many come, however large; and the laptop takes what is within them."""
    found = Kept(most, b"")
    for number, data, sender in offers:
        found.offer("nic", number, data, ("eth0", 0x0800, 0, 1, sender), 1)
    whole = found.captures(PLAN)
    assert len(whole.packets) + whole.left_out == len(list(offers))
    assert len(whole.packets) <= most
    total = sum(len(bytes.fromhex(packet.head)) for packet in whole.packets)
    assert total <= captures.node_bytes(most)
    assert read(captures.frame(whole).encode(), most) == whole


def test_the_largest_list_that_is_allowed_is_read() -> None:
    """The bound of the frame does not cut what the other bounds allow."""
    head = "00" * (captures.HEADER_BYTES + captures.PACKET_BYTES)
    one = Packet("e" * 15, "tunnel", (1 << 63) - 1, 1 << 17, head)
    log = of(*[one] * captures.NODE_PACKETS, left_out=(1 << 63) - 1)
    assert len(read(log, captures.NODE_PACKETS).packets) == captures.NODE_PACKETS
    assert len(codec.dumps(one)) < 2 * len(head)


@settings(deadline=None)
@given(st.integers(1, 1_000_000))
def test_all_nodes_together_have_a_bound(nodes: int) -> None:
    """Many nodes share it, few have all that one may keep."""
    most = captures.share(nodes)
    assert most * nodes <= captures.RUN_PACKETS
    assert captures.share(1) == captures.NODE_PACKETS >= most
