"""Built facts of the DNS matrix: what a healthy node sees, and small changes to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix, SearchCost, SearchDomain
from kubectl_netdoctor.facts.probe import DnsProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import healthy, node_fact

NODES = ("n1", "n2", "n3")
ZONE = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
Change = Callable[[DnsCell], DnsCell]


def cell(server: str, role: Any, kind: str = "A", sent: int = 3, **changes: Any) -> DnsCell:
    """A cell that was answered, with changes."""
    size = changes.pop("size", 106)
    made = DnsCell(
        server=server,
        port=53,
        role=role,
        transport="udp",
        name="kubernetes.default.svc.cluster.local.",
        type=kind,
        paired=False,
        payload=None,
        dnssec_ok=False,
        filler="none",
        sent=sent,
        answered=sent,
        rcodes={"NOERROR": sent},
        errors={},
        truncated=0,
        records=0 if kind == "AAAA" else 1,
        sizes=(size,) * sent,
        rtt_ms=(0.6,) * sent,
    )
    return dataclasses.replace(made, **changes)


def all_cells(server: str, role: Any) -> tuple[DnsCell, ...]:
    """One server that does everything right."""
    return (
        cell(server, role, sent=14),
        cell(server, role, "AAAA"),
        cell(server, role, sent=1, paired=True),
        cell(server, role, "AAAA", sent=1, paired=True),
        cell(server, role, sent=1, payload=1232),
        cell(server, role, sent=1, payload=4096, dnssec_ok=True),
        cell(server, role, "SRV", sent=2, payload=1232, filler="padding", size=746),
        cell(server, role, "SRV", payload=4096, dnssec_ok=True, filler="padding", size=746),
        cell(server, role, sent=2, payload=1232, filler="ignored"),
        cell(server, role, "SRV", 1, payload=512, filler="padding", size=500, truncated=1),
        cell(server, role, "SRV", 1, payload=512, filler="padding", size=746, transport="tcp"),
    )


def servers() -> dict[str, str]:
    """Roles of the servers of the recorded lab by address."""
    return {p.server: p.role for p in node_fact(healthy(), "n3", DnsProbes).items}


def endpoints() -> list[str]:
    """Addresses of its DNS pods."""
    return sorted(a for a, role in servers().items() if role == "endpoint")


def upstream() -> str:
    """Address of the nodes' resolver."""
    return next(a for a, role in servers().items() if role == "node-resolver")


def domain(name: str, *, of_node: bool = False, **changes: Any) -> SearchDomain:
    """A search domain without the label that was asked, with changes."""
    made = SearchDomain(name, of_node, 2, {"NXDOMAIN": 4}, {}, (), (0.5, 0.6))
    return dataclasses.replace(made, **changes)


def walked(*more: SearchDomain, **changes: Any) -> SearchCost:
    """Walks through the cluster's domains and these, with changes."""
    made = SearchCost(
        server="198.19.128.10",
        port=53,
        domains=(*(domain(name) for name in ZONE), *more),
        queries=2 * (len(ZONE) + len(more) + 1),
        relative_ms=(3.1, 2.6),
        absolute_ms=(1.2, 0.9),
        errors={},
        invented=(),
    )
    return dataclasses.replace(made, **changes)


def matrix(change: Change = lambda c: c, search: SearchCost | Missing | None = None) -> DnsMatrix:
    """The matrix of one node of the lab, every cell changed."""
    cells = tuple(change(c) for s, role in servers().items() for c in all_cells(s, role))
    return DnsMatrix(1.0, cells, search or walked(), ())


def put(snapshot: Snapshot, node: str, fact: object) -> Snapshot:
    """The snapshot with one fact of one node."""
    key = KEYS[type(fact)]
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        if report.name == node and envelope is not None:
            envelope = dataclasses.replace(envelope, facts={**envelope.facts, key: fact})
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def seen(change: Change = lambda c: c, *nodes: str, **searches: SearchCost | Missing) -> Snapshot:
    """The healthy lab with a matrix on each node; the named nodes (all, if none) see the change."""
    snapshot = healthy()
    for node in NODES:
        affected = node in (nodes or NODES)
        fact = matrix(change if affected else lambda c: c, searches.get(node))
        snapshot = put(snapshot, node, fact)
    return snapshot


def lost(c: DnsCell, error: str = "timeout") -> DnsCell:
    """The same questions without an answer."""
    return dataclasses.replace(
        c,
        answered=0,
        rcodes={},
        errors={error: c.sent},
        truncated=0,
        records=0,
        sizes=(),
        rtt_ms=(),
    )


def said(c: DnsCell, rcode: str) -> DnsCell:
    """The same questions, answered with that rcode and nothing else."""
    return dataclasses.replace(c, rcodes={rcode: c.sent}, records=0)


def took(c: DnsCell, milliseconds: float) -> DnsCell:
    """The same answers, that much later."""
    return dataclasses.replace(c, rtt_ms=tuple(ms + milliseconds for ms in c.rtt_ms))


UNKNOWN = Missing(Reason.NOT_PRESENT, "no cluster DNS is known")
