"""What a node's connection tracking table holds, made for tests."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows, PortUse, Share, TranslatedUdp
from kubectl_netdoctor.facts.netfilter import Conntrack
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_node, healthy

EMPTY = ConntrackFlows(
    window_seconds=1.0,
    read=100,
    complete=True,
    states={"tcp ESTABLISHED": 60, "udp": 40},
    clients=(Share("10.244.1.4", 70),),
    destinations=(Share("10.96.0.10:53/udp", 40),),
    ports=(),
    translated=(),
    translated_more=0,
)


def with_flows(snapshot: Snapshot | None = None, node: str = "n3", **changes: Any) -> Snapshot:
    """A snapshot whose nodes have read their tables; one of them has these things in it."""
    snapshot = snapshot or healthy()
    reports = []
    for report in snapshot.nodes:
        assert report.envelope
        flows = dataclasses.replace(EMPTY, **changes) if report.name == node else EMPTY
        facts = {**report.envelope.facts, KEYS[ConntrackFlows]: flows}
        envelope = dataclasses.replace(report.envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def counted(snapshot: Snapshot, node: str = "n3", *, entries: int = 100, **deltas: int) -> Snapshot:
    """The snapshot with these movements of a node's counters."""
    table = Conntrack(1.0, entries, 262_144, 262_144, deltas)
    return change_node(snapshot, node, Conntrack, lambda _: table)


def use(**changes: Any) -> PortUse:
    """Connections of one client to one server."""
    base = PortUse(
        protocol="tcp", source="198.18.0.13", destination="203.0.113.9", port=443,
        client="198.18.0.13", entries=100, translated=0, closed=0, lowest=32768, highest=60999,
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def udp(**changes: Any) -> TranslatedUdp:
    """One client's packets to the shop, translated."""
    base = TranslatedUdp(
        destination="10.96.7.7", port=8125, backend="10.244.3.6", backend_port=8125, entries=1,
        unreplied=1, refreshed=1, left_unassured=29, left_assured=None,
        client="198.18.0.13:18125",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)
