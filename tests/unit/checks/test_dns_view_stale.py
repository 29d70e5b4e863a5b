"""DNS-18."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.facts.cluster import ConfigMaps, PodInfo, Pods
from kubectl_netdoctor.facts.dns_records import DnsRecords, DnsZone
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.dns_zones import CHANGED, OLD, STARTED, servers, zones
from tests.unit.recorded import (
    before,
    change_cluster,
    change_items,
    cluster_fact,
    findings,
    healthy,
    judged,
    outcomes,
    without,
)

STALE, FRESH = servers()


def node_of(server: str) -> str | None:
    """The node that a DNS pod of the recording runs on."""
    return next(p.node for p in cluster_fact(healthy(), Pods).items if server in p.pod_ips)


def one(**changes: Any) -> Snapshot:
    """The first server told something else."""
    return zones(lambda z: dataclasses.replace(z, **changes) if z.server == STALE else z)


def pods(snapshot: Snapshot, **changes: Any) -> Snapshot:
    """The DNS pods otherwise."""

    def change(pod: PodInfo) -> PodInfo:
        known = any(ip in servers() for ip in pod.pod_ips)
        return dataclasses.replace(pod, **changes) if known else pod

    return change_cluster(snapshot, Pods, change_items(Pods, change))


def denied(zone: DnsZone, rcode: str = "NXDOMAIN", *addresses: str) -> DnsZone:
    """One Service's name with another answer."""
    first, *others = zone.names
    return dataclasses.replace(
        zone, names=(dataclasses.replace(first, rcode=rcode, addresses=addresses), *others)
    )


def test_a_server_that_saw_nothing_for_an_hour_fires() -> None:
    """The other one saw a change ten minutes ago."""
    (found,) = findings("DNS-18", one(serial=CHANGED - 3600))
    assert found.subjects[0].kind == "Pod"
    assert found.nodes == {node_of(STALE)}
    assert found.evidence[0].text.endswith("Z")
    (row,) = (r for r in judged(one(serial=CHANGED - 3600)).findings if r.finding.id == "DNS-18")
    assert row.caused_by is None


def test_a_service_that_it_denies_fires() -> None:
    """With the serial alike: one replica, or clocks apart."""
    snapshot = zones(lambda z: denied(z) if z.server == STALE else z)
    (found,) = findings("DNS-18", snapshot)
    assert (
        "kubernetes.default.svc.cluster.local. is NXDOMAIN, the API has" in found.evidence[0].text
    )


def test_an_address_that_the_service_no_longer_has_fires() -> None:
    """It was made again, with another ClusterIP."""
    snapshot = zones(lambda z: denied(z, "NOERROR", "198.19.128.200") if z.server == STALE else z)
    (found,) = findings("DNS-18", snapshot)
    assert "is 198.19.128.200, the API has" in found.evidence[0].text


@pytest.mark.parametrize(
    "snapshot",
    [
        one(serial=CHANGED - 45),
        one(serial=None),
        pods(one(serial=CHANGED - 3600), restarts=1),
        pods(one(serial=CHANGED - 3600), created=before(healthy(), STARTED - CHANGED + 59)),
        zones(
            lambda z: dataclasses.replace(z, serial=STARTED - (20 if z.server == FRESH else 900))
        ),
        zones(lambda z: denied(z, "SERVFAIL") if z.server == STALE else z),
        zones(lambda z: dataclasses.replace(z, names=(denied(z).names[0],))),
    ],
    ids=[
        "within the margin",
        "no serial",
        "restarted, nobody knows when",
        "the change is the other's start",
        "the answer may come from the cache",
        "another fault of the server",
        "it answers no name rightly: another zone",
    ],
)
def test_look_alikes(snapshot: Snapshot) -> None:
    """None of these proves a lost watch."""
    assert findings("DNS-18", snapshot) == []


def test_a_reloaded_corefile_is_no_change_of_the_api() -> None:
    """It begins a new serial in one pod minutes before the other; no Service was written then."""

    def hours_ago(change: ServiceChange) -> ServiceChange:
        return dataclasses.replace(change, written=OLD)

    snapshot = one(serial=CHANGED - 300)
    assert findings("DNS-18", snapshot)
    quiet = change_cluster(snapshot, ServiceChanges, change_items(ServiceChanges, hours_ago))
    assert findings("DNS-18", quiet) == []


def test_a_young_service_is_not_asked_for() -> None:
    """DNS-14: the denial ages out by itself."""

    def young(change: ServiceChange) -> ServiceChange:
        return dataclasses.replace(change, written=before(healthy(), 59))

    snapshot = zones(lambda z: denied(z) if z.server == STALE else z)
    snapshot = change_cluster(snapshot, ServiceChanges, change_items(ServiceChanges, young))
    assert findings("DNS-18", snapshot) == []


def test_a_corefile_may_hide_names() -> None:
    """`namespaces` of the kubernetes plugin, rewrites, templates."""

    def hide(item: Any) -> Any:
        text = {k: v.replace("pods insecure", "namespaces shop") for k, v in item.data.items()}
        return dataclasses.replace(item, data=text)

    snapshot = zones(lambda z: denied(z) if z.server == STALE else z)
    snapshot = change_cluster(snapshot, ConfigMaps, change_items(ConfigMaps, hide))
    assert findings("DNS-18", snapshot) == []


def test_another_server_than_coredns_is_not_judged() -> None:
    """Its serial may be anything."""
    snapshot = change_cluster(one(serial=1), ConfigMaps, change_items(ConfigMaps, lambda _: None))
    assert outcomes("DNS-18", snapshot) == {"Skipped"}


def test_silence() -> None:
    """All servers alike; and without the fact no claim."""
    assert outcomes("DNS-18", zones()) == {"Passed"}
    assert outcomes("DNS-18", healthy()) == {"Passed"}
    assert outcomes("DNS-18", without(healthy(), DnsRecords)) == {"Skipped"}
