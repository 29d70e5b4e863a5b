"""SVC-03."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.facts.cluster import (
    EndpointSlices,
    Pods,
    ServiceInfo,
    Services,
)
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import OLD, A, B, endpoint, piece, service, settled, shop
from tests.unit.recorded import (
    change_cluster,
    change_items,
    findings,
    healthy,
    recorded,
)

UNREADY = piece(endpoint(A, ready=False), endpoint(B, ready=False))


def test_endpoints_that_are_not_ready_fire() -> None:
    """They run and fail their probe: medium for somebody's application."""
    (found,) = findings("SVC-03", settled(shop(UNREADY)))
    assert found.title == "Service shop/web has no ready endpoint"
    assert found.severity is Severity.MEDIUM
    assert found.confidence is Confidence.CERTAIN
    assert found.evidence[0].text == "0 of 2 pods are ready"
    assert f"pod-{A} ({A}) on n1" in found.evidence[1].text


def system(snapshot: Snapshot, **pod: Any) -> Snapshot:
    """A Service of kube-system whose pod is a changed kube-dns pod, with no endpoint."""
    base = service(namespace="kube-system", name="dash", selector={"app": "dash"})

    def more(fact: Pods) -> Pods:
        first = next(p for p in fact.items if p.namespace == "kube-system")
        new = dataclasses.replace(first, name="dash-1", labels={"app": "dash"}, **pod)
        return Pods((*fact.items, new))

    out = change_cluster(snapshot, Services, lambda s: Services((*s.items, base)))
    return settled(change_cluster(out, Pods, more) if pod else out)


def test_a_pod_of_a_system_namespace_that_crashes_is_high() -> None:
    """It has no address, so no slice lists it; its own words are there."""
    crash = {"phase": "Pending", "ready": False, "waiting": ("ImagePullBackOff",)}
    (found,) = findings("SVC-03", system(healthy(), **crash))
    assert found.severity is Severity.HIGH
    assert any("ImagePullBackOff" in e.text for e in found.evidence)


def dozen(*, with_pods: bool) -> Snapshot:
    """The lab with twelve Services more, none of which has a ready endpoint."""
    services = tuple(service(name=f"web-{n}") for n in range(12))
    pieces = tuple(
        dataclasses.replace(UNREADY, name=f"w-{n}", service=f"web-{n}") for n in range(12)
    )
    out = change_cluster(healthy(), Services, lambda s: Services((*s.items, *services)))
    if with_pods:
        out = change_cluster(out, EndpointSlices, lambda s: EndpointSlices((*s.items, *pieces)))
    return settled(out)


def test_no_pod_at_all_is_low_and_one_row() -> None:
    """Scaled to zero, perhaps on purpose."""
    (found,) = findings("SVC-03", dozen(with_pods=False))
    assert found.severity is Severity.LOW
    assert found.confidence is Confidence.POSSIBLE
    assert "12 Services select no pod" in found.title
    assert found.evidence[-1].text == "and 2 more"


def test_many_that_fail_are_one_row() -> None:
    """A common cause is likelier than a dozen of faults."""
    (found,) = findings("SVC-03", dozen(with_pods=True))
    assert found.title.startswith("12 Services have pods")


# -- silence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "ExternalName", "cluster_ips": ()},
        {"cluster_ips": ("None",)},
        {"selector": {}},
    ],
    ids=["external name", "headless", "no selector"],
)
def test_services_that_need_no_endpoint(changes: dict[str, Any]) -> None:
    """They have none by design."""
    assert findings("SVC-03", settled(shop(**changes))) == []
    assert findings("SVC-03", settled(shop(UNREADY, **changes))) == []


@pytest.mark.parametrize(
    "one",
    [
        endpoint(B),
        dataclasses.replace(endpoint(B), ready=None),
        endpoint(B, ready=False, serving=True, terminating=True),
    ],
    ids=["ready", "not said", "draining"],
)
def test_one_usable_endpoint_is_enough(one: Any) -> None:
    """As with a leader that alone is ready."""
    assert findings("SVC-03", settled(shop(piece(endpoint(A, ready=False), one)))) == []


def test_a_rollout_is_silent() -> None:
    """A pod that starts is not ready for a while."""
    base = shop(UNREADY)
    assert findings("SVC-03", settled(base, base.run.started)) == []
    assert findings("SVC-03", base) == []  # an older snapshot without times


def test_system_services_without_pods_are_silent() -> None:
    """Switched off, or for a component that runs elsewhere."""
    assert findings("SVC-03", system(healthy())) == []


def test_cluster_dns_is_another_check() -> None:
    """DNS-04 says it."""
    assert findings("SVC-03", settled(recorded("coredns_scaled_to_zero"))) == []


def test_a_healthy_lab_is_silent() -> None:
    """Nothing to say."""
    assert findings("SVC-03", settled(healthy())) == []


def test_unknown_pods_make_nothing_worse() -> None:
    """Pods that may not be read leave medium and low."""
    unread = change_cluster(settled(shop(UNREADY)), Pods, change_items(Pods, lambda _: None))
    assert [f.severity for f in findings("SVC-03", unread)] == [Severity.MEDIUM]


def test_the_samples_have_times() -> None:
    """Otherwise the tests above would pass without a reason."""
    changes = settled(shop(UNREADY)).cluster_fact("service_changes")
    assert isinstance(changes, ServiceChanges)
    assert ServiceChange("shop", "web", OLD, None, hints=False) in changes.items
    assert isinstance(service(), ServiceInfo)
