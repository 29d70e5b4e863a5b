"""The recorded healthy lab with a companion on each node, and small changes to what they saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.companion import PORT, Companion, Companions
from kubectl_netdoctor.facts.pod_probe import (
    PodPathProbe,
    PodPathProtocol,
    PodPathRole,
    PodProbes,
    Vantage,
)
from kubectl_netdoctor.facts.probe import DnsProbes, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_node, healthy, node_fact

NAMES = ("n1", "n2", "n3")
NAMESPACE = "netdoctor"


def address(node: str) -> str:
    """Address of a node's companion."""
    return f"198.19.{int(node[1:]) - 1}.77"


def probe(
    vantage: Vantage,
    peer: str | None,
    role: PodPathRole,
    protocol: PodPathProtocol,
    *,
    to: str,
    port: int | None = None,
) -> PodPathProbe:
    """Ten probes, all answered."""
    return PodPathProbe(vantage, peer, role, protocol, to, port, 10, 10, (0.1,) * 10, {})


def pod_probes(snapshot: Snapshot, node: str) -> PodProbes:
    """What a node's companion sees while all is well."""
    others = [n for n in NAMES if n != node]
    vantages: tuple[tuple[Vantage, list[str]], ...] = (("pod", others), ("node", list(NAMES)))
    protocols: tuple[tuple[PodPathProtocol, int | None], ...]
    protocols = (("icmp", None), ("udp", PORT), ("tcp", PORT))
    items = [
        probe(vantage, peer, "companion", protocol, to=address(peer), port=port)
        for vantage, peers in vantages
        for peer in peers
        for protocol, port in protocols
    ]
    paths = node_fact(snapshot, node, PathProbes)
    for item in paths.items:
        if item.role == "overlay":
            items.append(probe("pod", item.peer, "overlay", "icmp", to=item.address))
        if item.role in ("api-server", "api-service") and item.protocol == "tcp":
            role: PodPathRole = "api-server" if item.role == "api-server" else "api-service"
            items.append(probe("pod", None, role, "tcp", to=item.address, port=item.port))
    dns = [
        p for p in node_fact(snapshot, node, DnsProbes).items if p.role in ("service", "endpoint")
    ]
    return PodProbes(1.0, address(node), None, tuple(items), tuple(dns), "1", "1")


def with_companions() -> Snapshot:
    """All companions up, all that they sent answered."""
    snapshot = healthy()
    for name in NAMES:
        fact = pod_probes(snapshot, name)
        snapshot = change_node(_room(snapshot), name, PodProbes, lambda _, f=fact: f)  # type: ignore[misc]
    items = tuple(Companion(n, "running", address(n), 1.0, None, None) for n in NAMES)
    cluster = {**snapshot.cluster, KEYS[Companions]: Companions(NAMESPACE, items)}
    return dataclasses.replace(snapshot, cluster=cluster)


def _room(snapshot: Snapshot) -> Snapshot:
    """The snapshot with a place for the fact on every node."""
    nodes = []
    for report in snapshot.nodes:
        assert report.envelope is not None
        facts = {KEYS[PodProbes]: None, **report.envelope.facts}
        envelope = dataclasses.replace(report.envelope, facts=facts)
        nodes.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(nodes))


def silent(
    snapshot: Snapshot, node: str, chosen: Callable[[PodPathProbe], bool], error: str = "timeout"
) -> Snapshot:
    """The chosen probes of a node are not answered."""

    def change(fact: PodProbes) -> PodProbes:
        items = tuple(
            dataclasses.replace(p, received=0, rtt_ms=(), errors={error: p.sent})
            if chosen(p)
            else p
            for p in fact.items
        )
        return dataclasses.replace(fact, items=items)

    return change_node(snapshot, node, PodProbes, change)


def not_started(snapshot: Snapshot, node: str, trouble: str | None, said: str | None) -> Snapshot:
    """A companion that did not come up."""

    def change(fact: Companions) -> Companions:
        return dataclasses.replace(
            fact,
            items=tuple(
                Companion(node, "not-started", None, None, trouble, said) if c.node == node else c
                for c in fact.items
            ),
        )

    return change_cluster(snapshot, Companions, change)


def without_companions(snapshot: Snapshot) -> Snapshot:
    """The snapshot of a run that had no companions, as with --no-companion."""
    reports = tuple(
        dataclasses.replace(
            report,
            envelope=report.envelope
            and dataclasses.replace(
                report.envelope,
                facts={k: v for k, v in report.envelope.facts.items() if k != KEYS[PodProbes]},
            ),
        )
        for report in snapshot.nodes
    )
    cluster = {k: v for k, v in snapshot.cluster.items() if k != KEYS[Companions]}
    return dataclasses.replace(snapshot, nodes=reports, cluster=cluster)
