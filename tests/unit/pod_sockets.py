"""The recorded healthy lab with what the kernel says of its pods, and small changes to that."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cluster import EndpointSlices
from kubectl_netdoctor.facts.pod_namespaces import Listener, PodNamespace, PodNamespaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_node, cluster_fact, healthy

NODES = ("n1", "n2", "n3")
NODE_PORTS = (Listener("::", 10250), Listener("127.0.0.1", 10248))
DNS_PORTS = tuple(Listener("::", port) for port in (53, 8080, 8181, 9153))


def pod(name: str, address: str, *listeners: Listener, mtu: int = 1450) -> PodNamespace:
    """A pod that is ten minutes old."""
    return PodNamespace(name, (address,), mtu, listeners, (), 600.0)


def dns_pod(node: str) -> PodNamespace | None:
    """The pod of cluster DNS on a node, as the API has it."""
    for piece in cluster_fact(healthy(), EndpointSlices).of("kube-system", "kube-dns"):
        for end in piece.endpoints:
            if end.node == node:
                return pod(end.pod or "", end.addresses[0], *DNS_PORTS)
    return None


def with_pods(*more: PodNamespace, left_out: int = 0) -> Snapshot:
    """Every node with its pods; n3 with some more."""
    snapshot = healthy()
    for node in NODES:
        own = dns_pod(node)
        items = (*((own,) if own else ()), *(more if node == "n3" else ()))
        earlier = tuple(a for i in items for a in i.addresses)
        snapshot = add(snapshot, node, PodNamespaces(items, earlier, NODE_PORTS, left_out))
    return snapshot


def add(snapshot: Snapshot, node: str, fact: object) -> Snapshot:
    """The snapshot with a fact that its recording did not have."""
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        if report.name == node and envelope:
            facts = {**envelope.facts, KEYS[type(fact)]: fact}
            envelope = dataclasses.replace(envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def change_pods(
    snapshot: Snapshot, change: Callable[[PodNamespace], PodNamespace], node: str = "n3"
) -> Snapshot:
    """Every pod of one node changed."""
    return change_node(
        snapshot,
        node,
        PodNamespaces,
        lambda fact: dataclasses.replace(fact, items=tuple(change(i) for i in fact.items)),
    )
