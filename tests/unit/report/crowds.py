"""A recorded node, many times over: what reports of large clusters are tested on."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.path_mtu import PathMtus
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import NodeReport, Snapshot
from tests.unit.recorded import judged, recorded

PEERS = 10  # as the mesh of a large cluster has
LONG = "ip-10-0-12-{}.eu-central-1.compute.internal"  # as a cloud calls its nodes


def crowd(count: int, name: str = "vxlan_port_blocked", called: str = "worker-{:04d}") -> Diagnosis:
    """So many nodes with the paths, answers and coverage of recorded ones."""
    small = judged(recorded(name))
    names = [called.format(number) for number in range(count)]
    seeds = small.snapshot.nodes
    nodes = tuple(_node(seeds[number % len(seeds)], names, number) for number in range(count))
    run = dataclasses.replace(small.snapshot.run, nodes=tuple(names))
    coverage = tuple(
        dataclasses.replace(cell, node=names[number])
        for cell in small.coverage
        for number in range(count)
        if cell.node is not None and number % len(seeds) == _place(small.snapshot, cell.node)
    )
    snapshot = dataclasses.replace(small.snapshot, run=run, nodes=nodes)
    return dataclasses.replace(small, snapshot=snapshot, coverage=coverage)


def _place(snapshot: Snapshot, node: str) -> int:
    return [n.name for n in snapshot.nodes].index(node)


def _node(seed: NodeReport, names: list[str], number: int) -> NodeReport:
    """The seed under another name, with the next nodes as its peers."""
    assert seed.envelope
    peers = [names[(number + step) % len(names)] for step in range(1, min(PEERS + 1, len(names)))]
    facts = dict(seed.envelope.facts)
    for cls in (PathProbes, PathMtus):
        fact = facts[KEYS[cls]]
        rows = [row for row in fact.items if row.peer]
        roles = {row.role: row for row in rows if getattr(row, "protocol", "icmp") == "icmp"}
        if number % 7:  # most nodes have no trouble
            best = rows[0] if cls is PathMtus else max(rows, key=lambda r: len(r.rtt_ms))
            roles = {role: dataclasses.replace(best, role=role) for role in roles}
        items = tuple(
            dataclasses.replace(row, peer=peer) for peer in peers for row in roles.values()
        )
        facts[KEYS[cls]] = dataclasses.replace(fact, items=items)
    envelope = dataclasses.replace(seed.envelope, node=names[number], facts=facts)
    return dataclasses.replace(seed, name=names[number], envelope=envelope)
