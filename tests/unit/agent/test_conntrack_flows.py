"""Entries of the connection tracking table: as the kernel writes them, and as they are counted."""

from __future__ import annotations

import ipaddress
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.agent import conntrack_netlink as ct
from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.collectors import conntrack_flows as collector
from kubectl_netdoctor.agent.collectors.conntrack_flows import Sample, census, conntrack_flows
from kubectl_netdoctor.agent.run import Run, Window
from tests.fixtures.recorded import NODES

CLIENT, SERVICE, POD = "198.18.0.13", "198.19.128.10", "198.19.1.2"
CHANGED = ct.DESTINATION_CHANGED
RECORDED = json.loads((NODES / "lab-flannel/netlink/conntrack.json").read_text())


def entry(**changes: Any) -> bytes:
    """An entry as the kernel writes it: UDP to a Service, translated to a pod."""
    values: dict[str, Any] = {"source": CLIENT, "sport": 4000, "destination": SERVICE, "port": 53, "backend": POD,
              "back": CLIENT, "bport": 4000, "protocol": ct.UDP, "status": CHANGED, "left": 29,
              "state": None} | changes  # fmt: skip
    there = tuple_of(1, values["source"], values["sport"], values["destination"], values["port"], values["protocol"])  # fmt: skip
    back = tuple_of(2, values["backend"], values["port"], values["back"], values["bport"], values["protocol"])  # fmt: skip
    rest = attribute(3, struct.pack(">I", values["status"])) + attribute(8, bytes(4))
    rest += attribute(7, struct.pack(">I", values["left"]))
    if values["state"] is not None:
        rest += attribute(4, attribute(1, attribute(1, bytes([values["state"]]))))
    family = ipaddress.ip_address(values["source"]).version
    body = struct.pack("=BBH", 2 if family == 4 else 10, 0, 0) + there + back + rest
    return struct.pack("=IHHII", 16 + len(body), 256, 2, 1, 0) + body


def tuple_of(kind: int, source: str, sport: int, destination: str, port: int, proto: int) -> bytes:
    """CTA_TUPLE_ORIG or CTA_TUPLE_REPLY."""
    ends = [ipaddress.ip_address(a).packed for a in (source, destination)]
    first = 1 if len(ends[0]) == 4 else 3
    addresses = attribute(first, ends[0]) + attribute(first + 1, ends[1])
    ports = attribute(1, bytes([proto]))
    ports += attribute(2, struct.pack(">H", sport)) + attribute(3, struct.pack(">H", port))
    return attribute(kind, attribute(1, addresses) + attribute(2, ports))


def attribute(kind: int, data: bytes) -> bytes:
    """Aligned as the kernel does."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def sample(*flows: bytes, begun: float = 0.0) -> Sample:
    """One reading."""
    return Sample(begun, begun, [f for m in flows if (f := ct.flow(m))])


def facts(node: Callable[..., Run], before: Sample, after: Sample, *table: bytes) -> Any:
    """The fact of two readings and a whole table."""
    run = node({})

    def conntrack(*, translated_udp: bool) -> Iterator[bytes]:
        assert not translated_udp
        return iter(table)

    run.host.conntrack = conntrack  # type: ignore[method-assign]
    return conntrack_flows(before, after, Window(1.0, run))


@pytest.mark.parametrize("family", [4, 6])
def test_an_entry_is_read(family: int) -> None:
    """Both tuples, status, time left and state, in both families."""
    ends = (CLIENT, SERVICE, POD) if family == 4 else ("fd00::d", "fd00:1::a", "fd00:2::2")
    message = entry(source=ends[0], destination=ends[1], backend=ends[2], back=ends[0],
                    protocol=ct.TCP, state=7, bport=777)  # fmt: skip
    flow = ct.flow(message)
    assert flow
    packed = [ipaddress.ip_address(a).packed for a in ends]
    assert (flow.source, flow.destination, flow.reply_source) == tuple(packed)
    assert (flow.source_port, flow.port, flow.reply_source_port, flow.reply_port) == (
        4000, 53, 53, 777,
    )  # fmt: skip
    assert (flow.status, flow.timeout, flow.state) == (CHANGED, 29, 7)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """A kernel of tomorrow may write something else: no crash, no endless loop."""
    ct.flow(data)
    ct.flow(bytes.fromhex(RECORDED[0])[:60] + data)


def test_recorded_entries() -> None:
    """A real kernel's: each is read, ICMP without ports."""
    flows = [ct.flow(bytes.fromhex(text)) for text in RECORDED]
    assert all(flows)
    assert {f.protocol for f in flows if f} == {1, 6, 17}
    assert all(f.port for f in flows if f and f.protocol != 1)


def test_uses_of_ports_are_counted_as_the_destination_sees_them(
    node: Callable[..., Run],
) -> None:
    """Two pods behind one address, one of them with a closed connection."""
    shared = {"destination": "203.0.113.9", "backend": "203.0.113.9", "port": 443, "protocol": 6}
    table = [
        entry(**shared, source="198.19.2.7", back=CLIENT, bport=40001, state=3),
        entry(**shared, source="198.19.2.8", back=CLIENT, bport=40002, state=7),
    ]
    fact = facts(node, sample(), sample(), *table)
    (use,) = fact.ports
    assert (use.source, use.client, use.destination, use.port) == (CLIENT, None, "203.0.113.9", 443)
    assert (use.entries, use.translated, use.closed) == (2, 2, 1)
    assert (use.lowest, use.highest) == (40001, 40002)
    assert fact.states == {"tcp ESTABLISHED": 1, "tcp TIME_WAIT": 1}
    assert fact.complete


def test_the_span_is_that_of_the_rule_where_a_rule_chooses(node: Callable[..., Run]) -> None:
    """One connection is older than the rule; also where larger groups come first in the list."""
    to = {"destination": "203.0.113.9", "backend": "203.0.113.9", "port": 443, "protocol": 6}
    narrow = [entry(**to, sport=50000 + n, bport=40000 + n) for n in range(16)]
    wide = [
        entry(destination=f"203.0.113.{1 + g}", backend=f"203.0.113.{1 + g}",
              sport=1000 * n + g, bport=1000 * n + g, protocol=6)
        for g in range(30, 40) for n in range(1, 21)
    ]  # fmt: skip
    fact = facts(node, sample(), sample(), entry(**to, sport=61000, bport=61000), *wide, *narrow)
    (use,) = [u for u in fact.ports if u.destination == "203.0.113.9"]
    assert (use.entries, use.translated, use.lowest, use.highest) == (17, 16, 40000, 40015)
    assert use.is_translated


@pytest.mark.parametrize(
    ("earlier", "later", "passed", "refreshed"),
    [
        (29, 28, 1.0, 0),  # a second passed
        (29, 29, 1.0, 1),  # a packet came
        (29, 29, 0.97, 0),  # less than a second: no proof
        (10, 29, 0.97, 1),
        (29, 27, 2.3, 0),
        (29, 28, 2.3, 1),
        (None, 29, 1.0, 0),  # new: nothing to compare with
    ],
)
def test_only_what_needs_a_packet_is_called_refreshed(
    node: Callable[..., Run], earlier: int | None, later: int, passed: float, refreshed: int
) -> None:
    """Time-outs are whole seconds."""
    before = sample() if earlier is None else sample(entry(left=earlier))
    fact = facts(node, before, sample(entry(left=later), begun=passed))
    (pair,) = fact.translated
    assert pair.refreshed == refreshed
    assert (pair.destination, pair.port, pair.backend, pair.backend_port) == (SERVICE, 53, POD, 53)


def test_translated_flows_are_grouped(node: Callable[..., Run]) -> None:
    """By what was wanted and what it became; the rarest first, since a stale one is rare."""
    other = entry(backend="198.19.1.9", left=7, status=CHANGED | ct.SEEN_REPLY | ct.ASSURED)
    many = [entry(sport=5000 + n, bport=5000 + n, left=n) for n in range(3)]
    fact = facts(node, sample(), sample(other, *many))
    rare, usual = fact.translated
    assert (rare.backend, rare.entries, rare.unreplied) == ("198.19.1.9", 1, 0)
    assert (rare.left_assured, rare.left_unassured) == (7, None)
    assert (usual.entries, usual.unreplied, usual.left_unassured) == (3, 3, 2)
    assert usual.client == f"{CLIENT}:5002"


def test_a_large_table_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is not even taken from the kernel."""
    monkeypatch.setattr(collector, "MOST_ENTRIES", 2)
    asked = iter([entry()] * 5)
    counts = census(asked)
    assert (counts.read, counts.complete) == (2, False)
    assert len(list(asked)) == 2


def test_no_module_is_loaded_for_it(node: Callable[..., Run]) -> None:
    """Asking would make the kernel load nf_conntrack_netlink."""
    run = node({"proc/modules": "nf_conntrack 1 0 - Live 0x0\n"})
    with pytest.raises(NotPresent, match="nf_conntrack_netlink is not loaded"):
        collector.translated(run)
