"""Parts of the probes without a network: messages, counts, pace and names of errors."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time

import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.agent.absence import Denied, NotPresent
from kubectl_netdoctor.agent.probes import (
    arp,
    dns_exchange,
    echo,
    icmp,
    pacing,
    scapy_layers,
    tcp,
    unreachable,
)
from kubectl_netdoctor.agent.probes.addresses import is_address
from kubectl_netdoctor.agent.probes.tally import Flight, Tally
from kubectl_netdoctor.agent.run import Run

TOKEN = b"0123456789abcdef"
MAC = "02:00:00:00:00:01"


def checksum(data: bytes) -> int:
    """The Internet checksum, RFC 1071: 0 over data that holds a right one."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(payload: bytes, source: str, destination: str, protocol: int = 1) -> bytes:
    """A packet as a raw socket delivers it."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(destination) + payload


@settings(deadline=None)
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_checksum_of_every_sequence_number(identifier: int, sequence: int) -> None:
    """The template's checksum is corrected, not computed anew."""
    template = scapy_layers.echo_request(identifier, TOKEN, 4)
    packet = echo.numbered(template, sequence, 4)
    assert checksum(packet) == 0
    assert struct.unpack("!HH", packet[4:8]) == (identifier, sequence)
    assert packet[8:] == TOKEN


def test_echo_request_of_version_6() -> None:
    """Type 128; the kernel fills the checksum in."""
    packet = echo.numbered(scapy_layers.echo_request(7, TOKEN, 6), 9, 6)
    assert packet[0] == 128
    assert struct.unpack("!HH", packet[4:8]) == (7, 9)


def test_a_reply_is_ours_by_identifier_and_token() -> None:
    """Other pings run on a node, too."""
    reply = bytes([0, 0, 0, 0]) + struct.pack("!HH", 7, 9) + TOKEN
    heard = echo.understand(ipv4(reply, "192.0.2.1", "192.0.2.2"), "192.0.2.1", 4, raw=True)
    assert heard == echo.Heard("192.0.2.1", 7, 9, TOKEN, None)
    assert heard.fits(7, TOKEN)
    assert heard.fits(None, TOKEN)
    assert not heard.fits(8, TOKEN)
    assert not heard.fits(7, b"another run's..")


@pytest.mark.parametrize(
    ("kind", "code", "name"),
    [
        (3, 0, "net-unreachable"),
        (3, 1, "host-unreachable"),
        (3, 3, "port-unreachable"),
        (3, 4, "message-too-long"),
        (3, 10, "admin-prohibited"),
        (3, 13, "admin-prohibited"),
        (11, 0, "time-exceeded"),
    ],
)
def test_an_error_quotes_our_probe(kind: int, code: int, name: str) -> None:
    """The error is counted for the address that the probe went to, not for who complains."""
    probe = ipv4(
        echo.numbered(scapy_layers.echo_request(7, TOKEN, 4), 9, 4), "10.0.0.1", "10.9.9.9"
    )
    message = ipv4(bytes([kind, code]) + bytes(6) + probe[:36], "10.0.0.254", "10.0.0.1")
    heard = echo.understand(message, "10.0.0.254", 4, raw=True)
    assert heard == echo.Heard("10.9.9.9", 7, 9, TOKEN[:8], name)
    assert heard.fits(7, TOKEN)
    assert not heard.fits(9, TOKEN)


def test_own_host_unreachable_is_a_failed_neighbour() -> None:
    """The kernel tells itself that ARP had no answer."""
    probe = ipv4(
        echo.numbered(scapy_layers.echo_request(7, TOKEN, 4), 9, 4), "10.0.0.1", "10.0.0.9"
    )
    message = ipv4(bytes([3, 1]) + bytes(6) + probe, "10.0.0.1", "10.0.0.1")
    heard = echo.understand(message, "10.0.0.1", 4, raw=True)
    assert heard is not None
    assert heard.error == "neighbour-failed"


def test_an_error_of_version_6() -> None:
    """Address unreachable, RFC 4443, with the quoted IPv6 header."""
    probe = echo.numbered(scapy_layers.echo_request(7, TOKEN, 6), 9, 6)
    addresses = socket.inet_pton(socket.AF_INET6, "fd00::1") + socket.inet_pton(
        socket.AF_INET6, "fd00::9"
    )
    quoted = struct.pack("!IHBB", 6 << 28, len(probe), 58, 64) + addresses + probe
    heard = echo.understand(bytes([1, 3]) + bytes(6) + quoted, "fd00::1", 6, raw=True)
    assert heard == echo.Heard("fd00::9", 7, 9, TOKEN, "host-unreachable")


def test_errors_about_others_are_passed_over() -> None:
    """A quoted UDP packet or another ICMP type is none of our business."""
    udp = ipv4(bytes(28), "10.0.0.1", "10.9.9.9", protocol=17)
    message = ipv4(bytes([3, 3]) + bytes(6) + udp, "10.0.0.254", "10.0.0.1")
    assert echo.understand(message, "10.0.0.254", 4, raw=True) is None
    request = ipv4(scapy_layers.echo_request(1, TOKEN, 4), "10.0.0.2", "10.0.0.1")
    assert echo.understand(request, "10.0.0.2", 4, raw=True) is None


def test_arp_frames() -> None:
    """A request is a broadcast; only replies count, and a damaged frame is none."""
    frame = scapy_layers.arp_request(MAC, "10.0.0.1", "10.0.0.9")
    assert frame[:6] == b"\xff" * 6
    assert frame[12:22] == bytes.fromhex("08060001080006040001")
    assert frame[38:42] == socket.inet_aton("10.0.0.9")
    assert arp.reply_from(frame) is None
    reply = frame[:20] + b"\x00\x02" + frame[22:28] + socket.inet_aton("10.0.0.9") + frame[32:]
    assert arp.reply_from(reply) == "10.0.0.9"
    assert arp.reply_from(reply[:25]) in (None, "0.0.0.0")
    assert arp.reply_from(b"") is None


def test_names_of_local_errors() -> None:
    """What this machine refused is never called a loss."""
    names = [
        unreachable.local_error(number)
        for number in (errno.EPERM, errno.ENETUNREACH, errno.EMSGSIZE, errno.ENOBUFS, 9999)
    ]
    assert names == ["not-permitted", "no-route", "message-too-long", "ENOBUFS", "errno 9999"]
    assert unreachable.later_error(errno.EHOSTUNREACH) == "host-unreachable"
    assert unreachable.later_error(errno.ECONNRESET) == "ECONNRESET"


@pytest.mark.parametrize(
    ("targets", "per_second"), [(0, 20), (1, 20), (20, 20), (40, 10), (80, 5), (500, 5)]
)
def test_rate_is_bounded(targets: int, per_second: int) -> None:
    """At most 400 packets a second, but five for each target."""
    assert pacing.rate(targets, 400) == per_second


def test_tcp_attempts() -> None:
    """Fewer attempts where there are many targets."""
    assert (tcp.attempts(1), tcp.attempts(40), tcp.attempts(41)) == (5, 5, 3)


def test_slots_spread_over_the_span() -> None:
    """Numbers come in order, in time, and the last one before the span ends."""

    async def times() -> list[float]:
        pace = pacing.Pace(time.monotonic(), 0.3)
        return [time.monotonic() - pace.start async for _ in pace.slots(6)]

    found = asyncio.run(times())
    assert len(found) == 6
    assert found == sorted(found)
    assert 0.15 < found[-1] < 0.4


def test_a_late_start_keeps_half_a_window() -> None:
    """Slow imports shorten the span, not below half of what was asked for."""
    late = pacing.Pace.until(time.monotonic() - 5, 1.0)
    assert late.span == 0.5
    assert late.count(20) == 20  # the same number of probes, twice as fast
    assert pacing.Pace.until(time.monotonic() + 0.7, 1.0).span == pytest.approx(0.7, abs=0.05)
    assert pacing.Pace(0.0, 0.0).count(20) == 5


def test_a_flight_accounts_for_everything() -> None:
    """Answers, late answers, duplicates, errors and silence add up to what was sent."""
    flight = Flight(Tally())
    for sequence in range(1, 7):
        flight.send(sequence, 1_000)
    flight.answer(1, 2_501_000, 10_000_000)
    flight.answer(1, 3_000_000, 10_000_000)
    flight.answer(2, 90_000_000, 10_000_000)
    flight.error(3, "host-unreachable")
    flight.error(3, "host-unreachable")
    flight.fail_at_once(4, "not-permitted")
    asyncio.run(flight.land(0.01))
    tally = flight.tally
    assert (tally.sent, tally.received, tally.rtt_ms) == (6, 1, [2.5])
    assert tally.errors == {"timeout": 3, "host-unreachable": 1, "not-permitted": 1}
    assert tally.sent == tally.received + sum(tally.errors.values())
    tally.rename("timeout", "neighbour-failed")
    tally.rename("timeout", "neighbour-failed")
    assert tally.errors["neighbour-failed"] == 3


def test_a_flight_lands_as_soon_as_all_is_there() -> None:
    """The timeout is for silence only."""

    async def fly() -> float:
        flight = Flight(Tally())
        flight.send(1, 0)
        asyncio.get_running_loop().call_later(0.02, flight.answer, 1, 5, 10)
        started = time.monotonic()
        await flight.land(5.0)
        return time.monotonic() - started

    assert asyncio.run(fly()) < 1


def test_targets_that_are_no_addresses(here: Run) -> None:
    """Names are not looked up, and that is said."""
    assert is_address("192.0.2.1", here)
    assert is_address("fe80::1%eth0", here)
    assert not is_address("node-7.example.org", here)
    assert here.log == ["probes: 'node-7.example.org' is no IP address: left out"]


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EMFILE])
def test_no_socket_to_be_had(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A kernel without IPv6, or too many open files, costs the one probe only."""

    def refuse(*_: object) -> socket.socket:
        raise OSError(number, "no")

    query = dns.message.make_query("example.org.", "A")
    server = dns_exchange.Server("fd00::1", 53)

    async def probes() -> list[object]:
        monkeypatch.setattr(tcp, "open_socket", refuse)
        monkeypatch.setattr(dns_exchange, "open_socket", refuse)
        return [
            await tcp.connect("fd00::1", 80, 1.0),
            await dns_exchange.over_udp(server, query, 1.0),
            await dns_exchange.over_tcp(server, query, 1.0),
        ]

    assert asyncio.run(probes()) == [errno.errorcode[number]] * 3


def test_no_icmp_socket_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Denied and absent are two reasons."""

    def refuse(number: int) -> object:
        def make(*_: object) -> socket.socket:
            raise OSError(number, "no")

        return make

    monkeypatch.setattr(socket, "socket", refuse(errno.EPERM))
    with pytest.raises(Denied, match="needs root: ICMP sockets"):
        icmp.open_socket(4)
    monkeypatch.setattr(socket, "socket", refuse(errno.EAFNOSUPPORT))
    with pytest.raises(NotPresent, match="ICMP sockets of IPv6: no"):
        icmp.open_socket(6)
