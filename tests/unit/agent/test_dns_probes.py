"""DNS probes against servers that answer, err, lie and stay silent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.probes import dns_exchange
from kubectl_netdoctor.agent.probes.dns_probes import (
    FEWEST,
    QUERIES,
    dns_probes,
    queries,
    targets,
)
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.plan import DnsTarget
from kubectl_netdoctor.facts.probe import DnsProbe
from tests.fixtures.plans import plan

Replies = Callable[[bytes], list[bytes]]
NAME = "kubernetes.default.svc.cluster.local."


def reply(wire: bytes, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> dns.message.Message:
    """An answer to a query."""
    message = dns.message.make_response(dns.message.from_wire(wire))
    message.set_rcode(rcode)
    if rcode == dns.rcode.NOERROR:
        message.answer.append(dns.rrset.from_text(NAME, 5, "IN", "A", "10.96.0.1"))
    return message


def good(wire: bytes) -> list[bytes]:
    """The address."""
    return [reply(wire).to_wire()]


def nxdomain(wire: bytes) -> list[bytes]:
    """No such name."""
    return [reply(wire, dns.rcode.NXDOMAIN).to_wire()]


def truncated(wire: bytes) -> list[bytes]:
    """TC, with the last record cut in two."""
    message = reply(wire)
    message.flags |= dns.flags.TC
    return [message.to_wire()[:-3]]


def wrong_id(wire: bytes) -> list[bytes]:
    """An answer to another query."""
    answer = bytearray(reply(wire).to_wire())
    answer[0] ^= 0xFF
    return [bytes(answer)]


def wrong_question(wire: bytes) -> list[bytes]:
    """An answer for another name with the right id."""
    other = dns.message.make_query("example.org.", "A", id=dns.message.from_wire(wire).id)
    return [dns.message.make_response(other).to_wire()]


def garbage(wire: bytes) -> list[bytes]:
    """The id, and nothing that could be read."""
    return [wire[:2] + b"\xff" * 30]


def liar_first(wire: bytes) -> list[bytes]:
    """A forged answer before the right one."""
    return [*wrong_id(wire), *good(wire)]


def silent(wire: bytes) -> list[bytes]:
    """Nothing."""
    del wire
    return []


@dataclass
class Server:
    """A DNS server on one port of the loopback, over UDP and TCP."""

    replies: Replies
    udp: socket.socket = field(default_factory=lambda: socket.socket(type=socket.SOCK_DGRAM))
    tcp: socket.socket = field(default_factory=socket.socket)

    def __enter__(self) -> int:
        """Start, and tell the port."""
        port = self._both()
        self.tcp.listen(64)
        for serve in (self._udp, self._tcp):
            threading.Thread(target=serve, daemon=True).start()
        return port

    def _both(self) -> int:
        """Bind both sockets to one port; somebody may have a connection on the first ones."""
        for _ in range(20):
            self.udp.bind(("127.0.0.1", 0))
            port: int = self.udp.getsockname()[1]
            try:
                self.tcp.bind(("127.0.0.1", port))
            except OSError:
                self.udp.close()
                self.udp = socket.socket(type=socket.SOCK_DGRAM)
            else:
                return port
        raise OSError("no port is free for UDP and TCP")

    def __exit__(self, *_: object) -> None:
        """Stop; the threads end with their sockets."""
        for sock in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, source = self.udp.recvfrom(4096)
                if wire:
                    for answer in self.replies(wire):
                        self.udp.sendto(answer, source)

    def _tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.tcp.accept()
                with connection:
                    wire = connection.recv(4096)[2:]
                    for answer in self.replies(wire)[:1]:
                        connection.sendall(len(answer).to_bytes(2, "big") + answer)


BEHAVIOURS: dict[str, Replies] = {
    function.__name__: function
    for function in (
        good,
        nxdomain,
        truncated,
        wrong_id,
        wrong_question,
        garbage,
        liar_first,
        silent,
    )
}


@pytest.fixture(scope="module")
def probes() -> Iterator[dict[tuple[str, str], DnsProbe]]:
    """What one run saw of all servers at once, by behaviour and transport."""
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(Server(b)) for name, b in BEHAVIOURS.items()}
        with socket.socket(type=socket.SOCK_DGRAM) as unused:
            unused.bind(("127.0.0.1", 0))
            ports["refused"] = unused.getsockname()[1]
        asked = tuple(DnsTarget("endpoint", "127.0.0.1", p, NAME, "A") for p in ports.values())
        fact = dns_probes(Run(plan(dns=asked), Host()))
        names = {port: name for name, port in ports.items()}
        yield {(names[item.port], item.transport): item for item in fact.items}


@pytest.mark.parametrize(
    ("behaviour", "rcodes"),
    [
        ("good", {"NOERROR": 10}),
        ("nxdomain", {"NXDOMAIN": 10}),
        ("truncated", {"NOERROR": 10}),
        ("liar_first", {"NOERROR": 10}),
    ],
)
def test_answers(
    probes: dict[tuple[str, str], DnsProbe], behaviour: str, rcodes: dict[str, int]
) -> None:
    """An answer of any rcode is an answer, also a truncated one and one behind a forged one."""
    probe = probes[behaviour, "udp"]
    assert (probe.sent, probe.answered, probe.rcodes, probe.errors) == (10, 10, rcodes, {})
    assert len(probe.rtt_ms) == 10
    assert all(0 < rtt < 250 for rtt in probe.rtt_ms)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("wrong_id", "malformed"),
        ("wrong_question", "malformed"),
        ("garbage", "malformed"),
        ("silent", "timeout"),
        ("refused", "port-unreachable"),
    ],
)
def test_errors(probes: dict[tuple[str, str], DnsProbe], behaviour: str, error: str) -> None:
    """What is no answer has a name, and the sums fit."""
    probe = probes[behaviour, "udp"]
    assert (probe.sent, probe.answered, probe.errors) == (10, 0, {error: 10})
    assert probe.rtt_ms == ()


def test_over_tcp(probes: dict[tuple[str, str], DnsProbe]) -> None:
    """Five queries, each over a connection of its own."""
    expected = {
        "good": ({"NOERROR": 5}, {}),
        "nxdomain": ({"NXDOMAIN": 5}, {}),
        "garbage": ({}, {"malformed": 5}),
        "silent": ({}, {"closed": 5}),
        "refused": ({}, {"refused": 5}),
    }
    for behaviour, (rcodes, errors) in expected.items():
        probe = probes[behaviour, "tcp"]
        assert (probe.sent, probe.rcodes, probe.errors) == (5, rcodes, errors)


def test_an_error_without_question_is_an_answer() -> None:
    """A server that cannot even read the question may leave it out, RFC 1035."""
    query = dns.message.make_query(NAME, "A")
    header = query.to_wire()[:2] + b"\x80\x01" + bytes(8)
    assert dns_exchange.answered(query, header) == "FORMERR"
    assert dns_exchange.answered(query, header[:4]) is None


def test_own_resolvers_are_asked_for_the_root(
    node: Callable[..., Run],
) -> None:
    """No name of anybody is sent to them, and no server is asked twice."""
    text = "nameserver 192.0.2.53\nnameserver 192.0.2.53\nnameserver not-an-address\n"
    run = node({"etc/resolv.conf": text}, node_resolvers=True)
    assert targets(run) == [DnsTarget("node-resolver", "192.0.2.53", 53, ".", "NS")]
    assert run.log == ["probes: 'not-an-address' is no IP address: left out"]


def test_questions_that_dns_cannot_carry(here: Run) -> None:
    """They are noted, and cost the others nothing."""
    bad = DnsTarget("service", "192.0.2.53", 53, "a..b", "A")
    odd = DnsTarget("service", "192.0.2.53", 53, "example.org.", "NOTATYPE")
    good_one = DnsTarget("service", "192.0.2.53", 53, "example.org.", "AAAA")
    run = Run(plan(dns=(bad, odd, good_one)), here.host)
    assert targets(run) == [good_one]
    assert len(run.log) == 2


@pytest.mark.parametrize("servers", [1, 5, 13, 16])
def test_many_servers_share_the_bound(servers: int) -> None:
    """Each is asked often enough to judge it, and all together no more than is said beforehand."""
    counts = {kind: queries(kind, servers) for kind in QUERIES}
    assert all(FEWEST[kind] <= counts[kind] <= QUERIES[kind] for kind in QUERIES)
    assert servers * sum(counts.values()) <= budget.DNS_SERVERS
    assert servers > 13 or counts == QUERIES
