"""Fleets of any size: the recorded healthy nodes, many times over, with some that differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Kernel
from tests.unit.recorded import change_node, cluster_fact, healthy

GONE = Missing(Reason.TIMED_OUT, "its own deadline passed")


def of(*names: str) -> Snapshot:
    """So many nodes, each as one recorded node is."""
    snapshot = healthy()
    seed = snapshot.nodes[0]
    assert seed.envelope
    info = cluster_fact(snapshot, Nodes).items[0]
    infos = tuple(dataclasses.replace(info, name=n) for n in names)
    facts = {k: v for k, v in seed.envelope.facts.items() if k != KEYS[Hops]}
    envelope = dataclasses.replace(seed.envelope, facts=facts)
    reports = tuple(dataclasses.replace(seed, name=n, envelope=envelope) for n in names)
    cluster = {**snapshot.cluster, KEYS[Nodes]: Nodes(infos)}
    return dataclasses.replace(snapshot, nodes=reports, cluster=cluster)


def labelled(
    snapshot: Snapshot, labels: Mapping[str, Mapping[str, str]], **fields: Any
) -> Snapshot:
    """The snapshot with other labels, and fields, of some Nodes."""

    def change(info: NodeInfo) -> NodeInfo:
        if info.name not in labels:
            return info
        return dataclasses.replace(info, labels={**info.labels, **labels[info.name]}, **fields)

    nodes = Nodes(tuple(change(i) for i in cluster_fact(snapshot, Nodes).items))
    return dataclasses.replace(snapshot, cluster={**snapshot.cluster, KEYS[Nodes]: nodes})


def kernel(snapshot: Snapshot, node: str, release: str = "5.4.0") -> Snapshot:
    """The snapshot with another kernel on one node."""
    return change_node(snapshot, node, Kernel, lambda k: dataclasses.replace(k, release=release))


def silent(snapshot: Snapshot, node: str) -> Snapshot:
    """The snapshot with one node that did not answer."""
    reports = tuple(
        dataclasses.replace(r, envelope=None) if r.name == node else r for r in snapshot.nodes
    )
    return dataclasses.replace(snapshot, nodes=reports)
