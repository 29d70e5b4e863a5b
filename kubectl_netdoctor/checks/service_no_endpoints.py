"""SVC-03: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import cluster_dns, service_backends
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    Subject,
    check,
    evidence,
)
from kubectl_netdoctor.checks.service_age import ages
from kubectl_netdoctor.facts.cluster import (
    EndpointInfo,
    EndpointSlices,
    PodInfo,
    Pods,
    ServiceInfo,
    Services,
)
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

MOST = 8  # Services that get a row of their own; more than these are one row
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class _Dry:
    """A Service without a ready endpoint: the endpoints that are not, and its pods as far as read."""

    service: ServiceInfo
    unready: tuple[EndpointInfo, ...]
    pods: tuple[PodInfo, ...]

    @property
    def name(self) -> str:
        return f"{self.service.namespace}/{self.service.name}"


@check("SVC-03", Severity.HIGH, since="0.1")
def service_no_endpoints(
    services: Services,
    slices: EndpointSlices,
    run: RunInfo,
    pods: Pods | None,
    changes: ServiceChanges | None,
) -> Iterator[Finding]:
    """A Service has no ready endpoint.

    Meaning: a Service with a selector has pods, and none of them is ready; or it selects no pod.
    Impact: connections to it are refused at once, on every node.
    Diagnosis: endpoints that are listed and not ready are pods that run and fail their readiness
      probe: a fault, once it has lasted a minute. No endpoint at all may be a selector that fits
      nothing, or a Deployment scaled to zero on purpose, which cannot be told apart outside system
      namespaces: low. Headless Services, ExternalName, Services without selector and cluster DNS
      (DNS-04) are left out.
    Mitigation: make the readiness probe succeed, or the selector fit the pods' labels.
    Source: Kubernetes documentation, Debug Services; kubernetes/kubernetes#58299.
    """
    dns = cluster_dns.service(services)
    dry = [d for d in _dry(services, slices, pods) if d.service is not dns]
    known = ages(changes, run) if changes else None
    # Without times a rollout cannot be told from a fault that lasts.
    lasting = [d for d in dry if known and known.settled(d.name)]
    failing = [d for d in lasting if d.unready or _due(d)]
    if len(failing) > MOST:
        yield _many(failing)
    else:
        yield from (_one(d, pods) for d in failing)
    names = {d.name for d in failing}
    empty = [d for d in lasting if d.name not in names and not _system(d, pods)]
    if empty:
        yield _without_pods(empty)


def _dry(services: Services, slices: EndpointSlices, pods: Pods | None) -> Iterator[_Dry]:
    pieces = service_backends.by_service(slices)
    for service in services.items:
        if not service.selector or not service_backends.proxied(service):
            continue
        endpoints = [
            e
            for s in pieces.get((service.namespace, service.name), [])
            for e in s.endpoints
            if e.addresses
        ]
        usable = [e for e in endpoints if e.ready is not False or (e.terminating and e.serving)]
        if not usable:
            own = tuple(p for p in (pods.items if pods else ()) if _selects(service, p))
            yield _Dry(service, tuple(e for e in endpoints if not e.terminating), own)


def _selects(service: ServiceInfo, pod: PodInfo) -> bool:
    return pod.namespace == service.namespace and service.selector.items() <= pod.labels.items()


def _due(dry: _Dry) -> bool:
    """Whether pods of a system namespace are there that should be endpoints and are none."""
    return any(not p.deleting and p.phase in ("Pending", "Running") for p in dry.pods)


def _system(dry: _Dry, pods: Pods | None) -> bool:
    """Whether its namespace's pods were read: a Service without any is meant so there, often."""
    return any(p.namespace == dry.service.namespace for p in (pods.items if pods else ()))


def _one(dry: _Dry, pods: Pods | None) -> Finding:
    listed = [
        f"{e.pod or e.addresses[0]} ({e.addresses[0]}) on {e.node} is not ready"
        for e in dry.unready[:4]
    ]
    waiting = [
        f"pod {p.name}: {p.phase}, {', '.join(p.waiting) or 'not ready'}, {p.restarts} restarts"
        for p in dry.pods[:4]
    ]
    namespace, name = dry.service.namespace, dry.service.name
    selector = ",".join(f"{k}={v}" for k, v in sorted(dry.service.selector.items()))
    return Finding(
        title=f"Service {dry.name} has no ready endpoint",
        severity=Severity.HIGH if _system(dry, pods) else Severity.MEDIUM,
        evidence=evidence(
            f"0 of {max(len(dry.unready), len(dry.pods))} pods are ready", *listed, *waiting
        ),
        subjects=(Subject("Service", dry.name),),
        scope="everybody who connects to it",
        fix=Fix(
            "Find out why its pods are not ready: the readiness probe, or the pod itself.",
            (
                f"kubectl -n {namespace} get pods -l '{selector}' -o wide",
                f"kubectl -n {namespace} describe pods -l '{selector}' | grep -A5 -i -e unhealthy -e readiness",
            ),
            verify=f"kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}",
            run_on="kubectl",
        ),
    )


def _many(dry: list[_Dry]) -> Finding:
    """One row: so many at once have a common cause, or are somebody's usual state."""
    return Finding(
        title=f"{len(dry)} Services have pods and no ready endpoint",
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        evidence=(
            *evidence(
                *(
                    f"{d.name}: 0 of {max(len(d.unready), len(d.pods))} ready"
                    for d in dry[:EXAMPLES]
                )
            ),
            *_more(len(dry)),
        ),
        subjects=tuple(Subject("Service", d.name) for d in dry[:EXAMPLES]),
        scope="the whole cluster",
        fix=Fix(
            "Look for what they have in common: one node, one image, one dependency.",
            (
                "kubectl get pods -A --field-selector status.phase!=Succeeded -o wide | grep -v -e '1/1' -e '2/2'",
            ),
            verify="kubectl get endpointslices -A",
            run_on="kubectl",
        ),
    )


def _without_pods(dry: list[_Dry]) -> Finding:
    number = f"{len(dry)} Services select" if len(dry) > 1 else f"Service {dry[0].name} selects"
    return Finding(
        title=f"{number} no pod: scaled to zero, or a selector that fits nothing",
        severity=Severity.LOW,
        confidence=Confidence.POSSIBLE,
        evidence=(
            *evidence(
                *(
                    f"{d.name}: "
                    + ", ".join(f"{k}={v}" for k, v in sorted(d.service.selector.items()))
                    for d in dry[:EXAMPLES]
                )
            ),
            *_more(len(dry)),
        ),
        subjects=tuple(Subject("Service", d.name) for d in dry[:EXAMPLES]),
        scope="who connects to them is refused",
        fix=Fix(
            "If it is not scaled to zero on purpose: compare the selector with the pods' labels.",
            tuple(
                f"kubectl -n {d.service.namespace} get pods --show-labels   # for {d.name}"
                for d in dry[:3]
            ),
            verify="kubectl get endpointslices -A",
            run_on="kubectl",
        ),
    )


def _more(number: int) -> tuple[Evidence, ...]:
    return evidence(f"and {number - EXAMPLES} more") if number > EXAMPLES else ()
