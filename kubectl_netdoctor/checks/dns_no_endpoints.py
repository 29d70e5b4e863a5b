"""DNS-04: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Severity, Subject, check, evidence
from kubectl_netdoctor.facts.cluster import EndpointSlices, Pods, ServiceInfo, Services, Workloads


@check("DNS-04", Severity.CRITICAL, since="0.1", explains=("DNS-05", "DNS-07", "SVC-02", "TGT-01"))
def dns_no_endpoints(
    services: Services, slices: EndpointSlices, pods: Pods | None, workloads: Workloads | None
) -> Iterator[Finding]:
    """The cluster DNS Service has no ready endpoint.

    Meaning: no EndpointSlice of the DNS Service lists a ready address.
    Impact: every lookup of every pod fails at once; nearly everything else is a consequence.
    Diagnosis: scaled to zero, crash looping (read the log: a forwarding loop, no access to the
      API), not schedulable, or not ready.
    Mitigation: bring back at least two ready replicas.
    Source: Kubernetes documentation, Debugging DNS Resolution; kubernetes/kubernetes#58299.
    """
    service = cluster_dns.service(services)
    if service is None or cluster_dns.endpoints(service, slices):
        return
    owner = next(
        (
            w
            for w in (workloads.items if workloads else ())
            if w.namespace == service.namespace
            and (w.labels.get("k8s-app") == "kube-dns" or w.name in cluster_dns.NAMES)
        ),
        None,
    )
    name = f"{service.namespace}/{service.name}"
    target = f"{owner.kind.lower()}/{owner.name}" if owner else "deployment/coredns"
    namespaced = f"kubectl -n {service.namespace}"
    if owner and owner.desired == 0 and owner.kind == "Deployment":
        text = f"{owner.name} is scaled to zero: scale it up."
        commands = [f"{namespaced} scale {target} --replicas=2"]
    else:
        text = "Find out why its pods are not ready."
        commands = [
            f"{namespaced} get pods -l k8s-app=kube-dns -o wide",
            f"{namespaced} logs -l k8s-app=kube-dns --tail=30",
            f"{namespaced} rollout restart {target}",
        ]
    details = [f"Service {name} ({', '.join(service.cluster_ips)}) has 0 ready endpoints"]
    if owner:
        details.append(
            f"{owner.kind} {owner.name}: {owner.ready} of {owner.desired} replicas ready"
        )
    yield Finding(
        title="Cluster DNS has no ready endpoint: every lookup fails",
        evidence=(*evidence(*details), *_pods(service, pods)),
        subjects=(Subject("Service", name),),
        scope="the whole cluster",
        fix=Fix(
            text,
            tuple(commands),
            verify=f"{namespaced} get endpointslices -l kubernetes.io/service-name={service.name}",
            run_on="kubectl",
        ),
    )


def _pods(service: ServiceInfo, pods: Pods | None) -> tuple[Evidence, ...]:
    """What its pods say of themselves."""
    out = []
    for pod in pods.items if pods else ():
        selected = service.selector.items() <= pod.labels.items()
        if pod.namespace == service.namespace and service.selector and selected:
            why = f", {', '.join(pod.waiting)}" if pod.waiting else ""
            out.append(
                Evidence(f"pod {pod.name} on {pod.node}: {pod.phase}{why}, {pod.restarts} restarts")
            )
    return tuple(out[:5])
