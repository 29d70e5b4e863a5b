"""Targets of the user's own: on this machine's loopback, where it is known what answers."""

from __future__ import annotations

import os
import socket
import threading

import dns.message
import pytest

from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.probes import target_probes as probes
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.plan import ExternalTarget
from kubectl_netdoctor.facts.target import TargetProbes
from tests.fixtures.plans import plan


def probe(*targets: ExternalTarget) -> TargetProbes:
    """One short run of this machine with these targets, without a companion."""
    run = Run(plan(window_seconds=0.2, probe_timeout_seconds=0.5, targets=targets), Host())
    return probes.target_probes(run)


def test_none_are_probed_unless_named() -> None:
    """No socket is opened, and nothing waits."""
    assert probe().items == ()


def test_a_port_that_listens_and_one_that_does_not() -> None:
    """Handshakes with their times, and RST by its name."""
    with socket.socket() as open_port, socket.socket() as closed:
        open_port.bind(("127.0.0.1", 0))
        open_port.listen()
        closed.bind(("127.0.0.1", 0))
        ends = [s.getsockname()[1] for s in (open_port, closed)]
        good, bad = probe(*(ExternalTarget("127.0.0.1", port) for port in ends)).items
    assert (good.vantage, good.sent, good.received) == ("node", 5, 5)
    assert len(good.rtt_ms) == 5
    assert (bad.sent, bad.received, bad.errors) == (5, 0, {"refused": 5})
    assert good.server is None
    assert good.lookup is None


@pytest.mark.skipif(os.geteuid() != 0, reason="ICMP sockets need root here")
def test_without_a_port_it_is_icmp() -> None:
    """Five echoes at least."""
    (item,) = probe(ExternalTarget("127.0.0.1", None)).items
    assert (item.protocol, item.port) == ("icmp", None)
    assert item.received == item.sent >= 5


def test_why_there_is_no_pods_vantage() -> None:
    """A local scan starts no companion: said, and not taken for a failure."""
    fact = probe(ExternalTarget("127.0.0.1", 9))
    assert fact.inside
    assert {i.vantage for i in fact.items} == {"node"}


@pytest.mark.parametrize(
    ("rcode", "said"), [(0, probes.NO_ADDRESS), (3, "NXDOMAIN"), (2, "SERVFAIL")]
)
def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch, rcode: int, said: str) -> None:
    """What the server said instead; nothing is connected to."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        monkeypatch.setattr(probes, "_DNS_PORT", server.getsockname()[1])
        monkeypatch.setattr(probes, "name_servers", lambda _host: ["127.0.0.1"])
        threading.Thread(target=_answer, args=(server, rcode), daemon=True).start()
        (item,) = probe(ExternalTarget("nobody.example", 443)).items
    assert (item.lookup, item.server, item.address) == (said, "127.0.0.1", None)
    assert (item.sent, item.received) == (0, 0)


def _answer(server: socket.socket, rcode: int) -> None:
    """Both questions, A and AAAA."""
    for _ in range(2):
        wire, sender = server.recvfrom(512)
        message = dns.message.make_response(dns.message.from_wire(wire))
        message.set_rcode(dns.rcode.Rcode(rcode))
        server.sendto(message.to_wire(), sender)
