"""The recorded healthy lab with what its DNS servers know of their zone, and changes to that."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

from kubectl_netdoctor.facts.cluster import EndpointSlices, PodInfo, Pods, Services
from kubectl_netdoctor.facts.dns_records import DnsName, DnsRecords, DnsZone
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.pod_sockets import NODES, add
from tests.unit.recorded import change_cluster, change_items, cluster_fact, healthy

OLD = "2026-11-23T10:00:00Z"
STARTED = int(datetime.fromisoformat(healthy().run.started).timestamp())
CHANGED = STARTED - 600  # when the last change was, which all have seen


def servers() -> list[str]:
    """Addresses of the DNS pods."""
    slices = cluster_fact(healthy(), EndpointSlices).of("kube-system", "kube-dns")
    return sorted(a for s in slices for e in s.endpoints for a in e.addresses)


def names() -> tuple[DnsName, ...]:
    """The recorded Services, rightly answered."""
    return tuple(
        DnsName(f"{s.name}.{s.namespace}.svc.cluster.local.", "NOERROR", s.cluster_ips)
        for s in cluster_fact(healthy(), Services).items
    )


def zones(change: Callable[[DnsZone], DnsZone] = lambda z: z) -> Snapshot:
    """Every node with what each server told it; pods and Services are hours old."""
    told = tuple(
        change(DnsZone(address, 53, "endpoint", CHANGED, 30, 30, names())) for address in servers()
    )
    snapshot = change_cluster(healthy(), Pods, change_items(Pods, old))
    for node in NODES:
        snapshot = add(snapshot, node, DnsRecords("cluster.local", told))

    def settled(one: ServiceChange) -> ServiceChange:
        when = datetime.fromtimestamp(CHANGED - 1, UTC).isoformat()
        return dataclasses.replace(one, written=when if one.name == "kube-dns" else OLD)

    return change_cluster(snapshot, ServiceChanges, change_items(ServiceChanges, settled))


def old(pod: PodInfo) -> PodInfo:
    """A pod that was made hours ago and never restarted."""
    return dataclasses.replace(pod, created=OLD, restarts=0)
