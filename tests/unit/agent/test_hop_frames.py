"""Marked packets, as the parser and the kernel's filter know them; everything else is nothing."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.agent.mark import MARK_BYTES, mark, read
from kubectl_netdoctor.agent.probes import capture_filter
from kubectl_netdoctor.agent.probes.frame import Seen, parse
from kubectl_netdoctor.agent.probes.sightings import MOST_ROWS, Book
from kubectl_netdoctor.agent.probes.taps import Listener
from kubectl_netdoctor.facts.hops import PROBE_KINDS, place_of
from tests.unit.agent.marked_packets import MAGIC, NUMBER, OTHERS, PACKETS, RUN, echo, ip


@pytest.mark.parametrize("name", PACKETS)
def test_a_marked_packet_is_understood(name: str) -> None:
    """By whom, for whom, which one, in what."""
    found = parse(PACKETS[name], MAGIC)
    assert found is not None
    assert (found.mark.sender, found.mark.receiver) == (place_of("n1"), place_of("n3"))
    assert found.sequence == NUMBER
    assert found.answer is (name in ("reply", "answer", "vxlan_answer"))
    kinds = {"vxlan": "vxlan", "geneve": "geneve", "ipip": "ipip"}
    assert found.wrap == kinds.get(name.partition("_")[0], "none")
    assert (found.outer is None) is (found.wrap == "none")
    if name == "large":
        assert found.size == 928


@pytest.mark.parametrize("name", OTHERS)
def test_other_packets_are_nothing(name: str) -> None:
    """Whatever they hold."""
    assert parse(OTHERS[name], MAGIC) is None


def test_a_later_fragment_is_nothing() -> None:
    """It has no header, and its bytes mean something else."""
    packet = bytearray(ip(1, echo()))
    packet[6:8] = b"\x00\x10"
    assert parse(bytes(packet), MAGIC) is None


@pytest.mark.parametrize("name", [*PACKETS, *OTHERS])
def test_the_kernel_lets_through_what_the_parser_understands(name: str) -> None:
    """The filter on a real socket: a datagram socket's data begin behind nothing, as a capture's."""
    data = {**PACKETS, **OTHERS}[name] or b"\0"
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        capture_filter.attach(there, MAGIC)
        there.setblocking(False)
        here.setblocking(False)
        try:
            here.send(data)
            passed = bool(there.recv(4096))
        except (BlockingIOError, PermissionError):
            passed = False
    assert passed is (name in PACKETS)


@given(st.binary(max_size=300))
def test_hostile_bytes(data: bytes) -> None:
    """Anything may come in: never an exception, never a probe."""
    assert parse(data, MAGIC) is None


@given(st.sampled_from(sorted(PACKETS)), st.data())
def test_damaged_packets(name: str, data: st.DataObject) -> None:
    """A marked packet cut and changed anywhere is a probe or nothing."""
    packet = bytearray(PACKETS[name])
    for _ in range(data.draw(st.integers(0, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(packet)))
    found = parse(bytes(packet[:end]), MAGIC)
    assert found is None or isinstance(found, Seen)


@given(st.sampled_from(PROBE_KINDS), st.text(max_size=20), st.text(max_size=20))
def test_a_mark_says_what_was_written(kind: str, sender: str, receiver: str) -> None:
    """Sixteen bytes, whatever the names are."""
    said = mark(RUN, kind, sender, receiver)  # type: ignore[arg-type]  # one of the kinds
    assert len(said) == MARK_BYTES
    found = read(said, MAGIC)
    assert found is not None
    assert (found.kind, found.sender, found.receiver) == (
        kind,
        place_of(sender),
        place_of(receiver),
    )


def test_the_book_is_bounded() -> None:
    """A flood of different marked packets fills it and no more."""
    book, tap = Book(MAGIC), Listener("eth0", "nic")
    for number in range(MOST_ROWS + 50):
        destination = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        packet = ip(1, echo(), to=destination)
        book.take(tap, packet, leaves=True, foreign=False, now=1.0)
    assert (len(book.facts()), book.truncated) == (MOST_ROWS, 50)


def test_equal_packets_are_one_row() -> None:
    """Counted, with their numbers and the largest of them."""
    book, tap = Book(MAGIC), Listener("eth0", "nic")
    for now in (1.0, 2.0):
        book.take(tap, PACKETS["plain"], leaves=False, foreign=now > 1, now=now)
    (row,) = book.facts()
    assert (row.packets, row.foreign, row.sequences) == (2, 1, f"{1 << NUMBER:x}")
    assert (row.first, row.last, row.largest, row.way) == (1.0, 2.0, 44, "in")
