"""The entries of the connection tracking table, counted by whose they are."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from kubectl_netdoctor.agent import conntrack_netlink as ct
from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.conntrack_netlink import Flow
from kubectl_netdoctor.agent.modules import loaded
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows, PortUse, Share, TranslatedUdp

MOST_ENTRIES = 16_384  # some 0.2 s of a CPU and 12 MB, where each is of another client
_LISTED, _LISTED_TRANSLATED = 8, 256
_WORTH_A_LOOK = 16  # entries: with fewer ports no rule translates
_NO_SPAN = (1 << 16, 0)
_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6", 132: "sctp"}
_STATES = (
    # linux/netfilter/nf_conntrack_tcp.h
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK",
    "TIME_WAIT", "CLOSE", "SYN_SENT2",
)  # fmt: skip
_CLOSED = frozenset(_STATES.index(s) for s in ("LAST_ACK", "TIME_WAIT", "CLOSE"))

Pair = tuple[bytes, int, bytes, int]  # wanted address and port, and what it was translated to
Client = tuple[bytes, int]


@dataclass(slots=True)
class Use:
    """Source ports toward one destination."""

    client: bytes | None
    entries: int = 0
    translated: int = 0
    closed: int = 0
    kept: tuple[int, int] = _NO_SPAN  # lowest and highest port that clients chose
    given: tuple[int, int] = _NO_SPAN  # and that a rule of this node chose

    @property
    def span(self) -> tuple[int, int]:
        """Lowest and highest port, of the translated entries where these are most."""
        if 2 * self.translated > self.entries:
            return self.given
        return min(self.kept[0], self.given[0]), max(self.kept[1], self.given[1])

    @property
    def density(self) -> float:
        """Entries per port of the span that was seen: 1 where a narrow range is full."""
        lowest, highest = self.span
        return self.entries / (highest - lowest + 1)


@dataclass(slots=True)
class Census:
    """All counts of one reading of the table."""

    read: int = 0
    complete: bool = True
    states: Counter[tuple[int, int]] = field(default_factory=Counter)
    clients: Counter[bytes] = field(default_factory=Counter)
    destinations: Counter[tuple[int, bytes, int]] = field(default_factory=Counter)
    ports: dict[tuple[int, bytes, bytes, int], Use] = field(default_factory=dict)

    def add(self, flow: Flow) -> None:
        """Count one entry."""
        self.read += 1
        self.states[flow.protocol, flow.state] += 1
        self.clients[flow.source] += 1
        self.destinations[flow.protocol, flow.destination, flow.port] += 1
        if not flow.port:
            return
        key = (flow.protocol, flow.reply_destination, flow.reply_source, flow.reply_source_port)
        use = self.ports.get(key)
        if use is None:
            use = self.ports[key] = Use(flow.source)
        elif use.client != flow.source:
            use.client = None
        use.entries += 1
        use.closed += flow.state in _CLOSED
        port = flow.reply_port
        if (flow.source, flow.source_port) == (flow.reply_destination, port):
            use.kept = min(use.kept[0], port), max(use.kept[1], port)
        else:
            use.translated += 1
            use.given = min(use.given[0], port), max(use.given[1], port)


@dataclass(frozen=True, slots=True)
class Sample:
    """Translated UDP flows with the seconds that each has left, and when they were read."""

    begun: float
    done: float
    translated: list[Flow]


def translated(run: Run) -> Sample:
    """UDP entries whose destination was changed.

    Raises NotPresent where asking would make the kernel load a module, Denied and Unreadable.
    """
    if not loaded(run.host, "nf_conntrack_netlink"):
        raise NotPresent("the kernel module nf_conntrack_netlink is not loaded")
    begun = time.monotonic()
    messages = islice(run.host.conntrack(translated_udp=True), MOST_ENTRIES)
    flows = [f for m in messages if (f := ct.flow(m)) and _translated_udp(f)]
    return Sample(begun, time.monotonic(), flows)


def _translated_udp(flow: Flow) -> bool:
    return flow.protocol == ct.UDP and bool(flow.status & ct.DESTINATION_CHANGED)


def census(messages: Iterable[bytes]) -> Census:
    """Counts of the first MOST_ENTRIES entries."""
    counts = Census()
    for message in messages:
        if counts.read >= MOST_ENTRIES:
            counts.complete = False
            break
        if found := ct.flow(message):
            counts.add(found)
    return counts


@windowed("conntrack_flows", translated)
def conntrack_flows(before: Sample, after: Sample, window: Window) -> ConntrackFlows:
    """Counts of the whole table, and the translated flows of both readings."""
    counts = census(window.run.host.conntrack(translated_udp=False))
    pairs = _pairs(before, after)
    return ConntrackFlows(
        window_seconds=window.seconds,
        read=counts.read,
        complete=counts.complete,
        states={_state(*key): n for key, n in sorted(counts.states.items())},
        clients=tuple(Share(_text(a), n) for a, n in counts.clients.most_common(_LISTED)),
        destinations=tuple(
            Share(f"{_with_port(a, port)}/{_protocol(p)}", n)
            for (p, a, port), n in counts.destinations.most_common(_LISTED)
        ),
        ports=tuple(_uses(counts)),
        translated=pairs[:_LISTED_TRANSLATED],
        translated_more=max(0, len(pairs) - _LISTED_TRANSLATED),
    )


def _uses(counts: Census) -> Iterable[PortUse]:
    largest = sorted(counts.ports.items(), key=lambda item: (-item[1].entries, item[0]))
    dense = sorted(
        (item for item in largest if item[1].entries >= _WORTH_A_LOOK),
        key=lambda item: -item[1].density,
    )
    listed = dict([*largest[:_LISTED], *dense[:_LISTED]])
    for (protocol, source, destination, port), use in listed.items():
        yield PortUse(
            protocol=_protocol(protocol),
            source=_text(source),
            destination=_text(destination),
            port=port,
            client=None if use.client is None else _text(use.client),
            entries=use.entries,
            translated=use.translated,
            closed=use.closed,
            lowest=use.span[0],
            highest=use.span[1],
        )


def _pairs(before: Sample, after: Sample) -> tuple[TranslatedUdp, ...]:
    """The flows by what was wanted and what it became, the smallest first: a stale one is rare."""
    earlier = {_identity(flow): flow.timeout for flow in before.translated}
    # Seconds are whole numbers: without a packet a time-out falls by at least that many.
    passed = int(after.begun - before.done)
    groups: dict[Pair, list[Flow]] = {}
    for flow in after.translated:
        pair = (flow.destination, flow.port, flow.reply_source, flow.reply_source_port)
        groups.setdefault(pair, []).append(flow)
    found = []
    for (wanted, port, backend, backend_port), flows in groups.items():
        latest = max(flows, key=lambda flow: flow.timeout)
        found.append(
            TranslatedUdp(
                destination=_text(wanted),
                port=port,
                backend=_text(backend),
                backend_port=backend_port,
                entries=len(flows),
                unreplied=sum(not flow.status & ct.SEEN_REPLY for flow in flows),
                refreshed=sum(
                    flow.timeout > earlier.get(_identity(flow), flow.timeout) - passed
                    for flow in flows
                    if _identity(flow) in earlier
                ),
                left_unassured=_most_left(f for f in flows if not f.status & ct.ASSURED),
                left_assured=_most_left(f for f in flows if f.status & ct.ASSURED),
                client=_with_port(latest.source, latest.source_port),
            )
        )
    return tuple(sorted(found, key=lambda pair: (pair.entries, pair.destination, pair.backend)))


def _identity(flow: Flow) -> tuple[Client, Pair]:
    pair = (flow.destination, flow.port, flow.reply_source, flow.reply_source_port)
    return (flow.source, flow.source_port), pair


def _most_left(flows: Iterable[Flow]) -> int | None:
    return max((flow.timeout for flow in flows), default=None)


def _protocol(number: int) -> str:
    return _PROTOCOLS.get(number, str(number))


def _state(protocol: int, state: int) -> str:
    if protocol != ct.TCP:
        return _protocol(protocol)
    return f"tcp {_STATES[state]}" if state < len(_STATES) else f"tcp {state}"


def _text(address: bytes) -> str:
    return str(ipaddress.ip_address(address))


def _with_port(address: bytes, port: int) -> str:
    text = _text(address)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
