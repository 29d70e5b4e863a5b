"""How fast and how surely every DNS server answered, over all nodes that asked it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.report import numbers


@dataclass(slots=True)
class Asked:
    """What one node asked one server over one transport."""

    sent: int = 0
    answered: int = 0
    times: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, probe: DnsProbe | DnsCell) -> None:
        """Count one kind of question."""
        self.sent += probe.sent
        self.answered += probe.answered
        self.times = numbers.finite((*self.times, *probe.rtt_ms))
        self.errors.update(probe.errors)


@dataclass(slots=True)
class Resolver:
    """One server: address, port, transport, and what it is to the cluster."""

    server: str
    port: int
    transport: str
    role: str
    nodes: dict[str, Asked] = field(default_factory=dict)

    @property
    def total(self) -> Asked:
        """All nodes together."""
        total = Asked()
        for one in self.nodes.values():
            total.sent += one.sent
            total.answered += one.answered
            total.times += one.times
            total.errors.update(one.errors)
        total.times.sort()
        return total


def resolvers(snapshot: Snapshot) -> list[Resolver]:
    """All servers that were asked, cluster DNS first, as the nodes name them."""
    found: dict[tuple[str, int, str], Resolver] = {}
    for report in snapshot.nodes:
        for key in (KEYS[DnsProbes], KEYS[DnsMatrix]):
            fact = snapshot.node_fact(report.name, key)
            for probe in fact.items if isinstance(fact, DnsProbes | DnsMatrix) else ():
                place = (probe.server, probe.port, probe.transport)
                resolver = found.setdefault(place, Resolver(*place, probe.role))
                resolver.nodes.setdefault(report.name, Asked()).add(probe)
    order = ("service", "endpoint", "upstream", "node-resolver")
    return sorted(
        found.values(),
        key=lambda r: (
            order.index(r.role) if r.role in order else len(order),
            r.server,
            r.port,
            r.transport == "tcp",
        ),
    )
