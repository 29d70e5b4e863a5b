"""What cluster DNS is asked for beside one address."""

from __future__ import annotations

from kubectl_netdoctor.analysis.dns_questions import dns_large, dns_zone
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cluster import (
    EndpointInfo,
    EndpointSliceInfo,
    EndpointSlices,
    ServiceInfo,
    Services,
)
from tests.unit.recorded import cluster_fact, healthy


def test_the_recorded_lab() -> None:
    """The DNS Service itself has three ports, more than any other."""
    cluster = healthy().cluster
    assert dns_zone(cluster) == "cluster.local"
    assert dns_large(cluster) == "kube-dns.kube-system.svc.cluster.local."


def test_a_headless_service_with_many_endpoints_is_larger() -> None:
    """Each endpoint has a record for each named port."""
    services = cluster_fact(healthy(), Services)
    slices = cluster_fact(healthy(), EndpointSlices)
    headless = ServiceInfo(
        "data", "db", "ClusterIP", ("None",), {"app": "db"}, {}, (), "None", "Cluster", None
    )
    ends = tuple(
        EndpointInfo((f"192.0.2.{n}",), True, True, False, "n1", f"db-{n}") for n in range(9)
    )
    piece = EndpointSliceInfo("data", "db-1", "db", "IPv4", {"sql": "TCP/5432"}, ends)
    cluster = {
        **healthy().cluster,
        KEYS[Services]: Services((*services.items, headless)),
        KEYS[EndpointSlices]: EndpointSlices((*slices.items, piece)),
    }
    assert dns_large(cluster) == "db.data.svc.cluster.local."


def test_without_a_cluster() -> None:
    """Nothing is known, nothing is asked."""
    assert (dns_zone({}), dns_large({})) == ("", "")
