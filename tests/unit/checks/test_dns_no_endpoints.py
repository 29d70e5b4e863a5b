"""DNS-04."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.cluster import EndpointSlices, Services, Workloads
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_items, findings, healthy, recorded


def without_ready_endpoints() -> Snapshot:
    """The healthy lab whose endpoints have all turned not ready."""

    def unready(piece: object) -> object:
        ends = tuple(dataclasses.replace(e, ready=False) for e in piece.endpoints)  # type: ignore[attr-defined]
        return dataclasses.replace(piece, endpoints=ends)  # type: ignore[type-var]

    return change_cluster(healthy(), EndpointSlices, change_items(EndpointSlices, unready))


def test_scaled_to_zero_is_named_as_such() -> None:
    """The recorded fault: the fix is to scale up."""
    (found,) = findings("DNS-04", recorded("coredns_scaled_to_zero"))
    assert found.fix.commands == ("kubectl -n kube-system scale deployment/coredns --replicas=2",)
    assert "0 ready endpoints" in found.evidence[0].text


def test_pods_that_are_not_ready_lead_to_their_logs() -> None:
    """Not scaled to zero, and yet nobody is ready."""
    (found,) = findings("DNS-04", without_ready_endpoints())
    assert any("logs" in c for c in found.fix.commands)
    assert found.nodes == frozenset()


def test_one_ready_endpoint_is_enough_to_be_silent() -> None:
    """Fewer replicas than wanted is not this fault."""

    def first_only(piece: object) -> object:
        return dataclasses.replace(piece, endpoints=piece.endpoints[:1])  # type: ignore[attr-defined, type-var]

    one = change_cluster(healthy(), EndpointSlices, change_items(EndpointSlices, first_only))
    assert findings("DNS-04", one) == []


def test_a_cluster_without_a_dns_service_is_silent() -> None:
    """No Service, no claim."""
    gone = change_cluster(
        without_ready_endpoints(),
        Services,
        change_items(Services, lambda s: None if s.name == "kube-dns" else s),
    )
    assert findings("DNS-04", gone) == []


def test_it_needs_no_workloads_to_say_so() -> None:
    """Where Deployments may not be read, the finding is still there."""
    blind = change_cluster(without_ready_endpoints(), Workloads, lambda _: Workloads(()))
    assert len(findings("DNS-04", blind)) == 1
