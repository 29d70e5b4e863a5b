"""DNS-21: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns, pod_paths
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.cluster import NetworkPolicies, Services
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

ENOUGH = 5  # queries; fewer prove nothing
MANY = 3  # of ten that a ClusterIP loses while it loses none from the node: no chance


@check("DNS-21", Severity.HIGH, since="0.1")
def pod_dns_cut_off(
    probes: PerNode[PodProbes],
    companions: Companions,
    dns: PerNode[DnsProbes],
    policies: NetworkPolicies | None,
    services: Services | None,
    run: RunInfo,
    changes: ServiceChanges | None,
) -> Iterator[Finding]:
    """Pods of a node lack cluster DNS, the node itself does not.

    Meaning: queries over UDP from a pod's own network namespace to the DNS ClusterIP or to a DNS
      endpoint were lost, while the same queries from the node, moments before, were all answered.
    Impact: names fail or stall for pods of this node; tests on the node itself show nothing.
    Diagnosis: all queries to an endpoint lost is the pods' way there (forwarding, FORWARD rules,
      policies). Only those through the ClusterIP lost, and each endpoint answers the pod: answers
      come back untranslated (bridge-nf-call-iptables) or the pods' traffic misses kube-proxy's
      rules. A NetworkPolicy of the probes' own namespace is ruled out first.
    Mitigation: remove the cause that a finding of its own names; without one, compare the ways of a
      pod's and of the node's packets.
    Source: kubernetes/kubernetes#38802; RFC 1035.
    """
    if (policy := pod_paths.isolating_policy(policies, companions)) is not None:
        raise Inconclusive(
            f"NetworkPolicy {companions.namespace}/{policy} may hold back the probes themselves"
        )
    cluster_dns.settle(cluster_dns.service(services) if services else None, changes, run)
    asked = False
    for name, fact in probes.items():
        outside = dns.get(name)
        if outside is None or fact.inside is not None:
            continue
        pairs = [(p, q) for p in fact.dns if (q := _same(p, outside)) and p.transport == "udp"]
        asked = asked or any(q.answered for _, q in pairs)
        lost = [(p, q) for p, q in pairs if _cut(p, q, fact)]
        if not lost:
            continue
        services_only = all(p.role == "service" for p, _ in lost) and any(
            p.role == "endpoint" for p, _ in pairs
        )
        yield Finding(
            title=_title(services_only),
            confidence=Confidence.LIKELY,
            evidence=tuple(Evidence(_text(p, q), name) for p, q in lost[:6]),
            subjects=(node(name),),
            scope=f"pods on {name}",
            fix=_fix(lost[0][0]),
        )
    if not asked:
        raise Inconclusive("cluster DNS answered no node that could ask from a pod as well")


def _same(probe: DnsProbe, outside: DnsProbes) -> DnsProbe | None:
    """The node's own queries of the same kind to the same server."""
    key = (probe.server, probe.port, probe.role, probe.transport, probe.name)
    return next(
        (q for q in outside.items if (q.server, q.port, q.role, q.transport, q.name) == key), None
    )


def _cut(pod: DnsProbe, outside: DnsProbe, fact: PodProbes) -> bool:
    """Whether the pod's queries were lost by more than chance, and none of the node's were."""
    if pod.sent < ENOUGH or not outside.answered == outside.sent >= ENOUGH:
        return False
    if pod.answered == 0:
        return True
    endpoints = [p for p in fact.dns if p.role == "endpoint" and p.transport == "udp"]
    whole = bool(endpoints) and all(p.answered == p.sent for p in endpoints)
    return pod.role == "service" and pod.sent - pod.answered >= MANY and whole


def _title(services_only: bool) -> str:
    if services_only:
        return "Pods lose DNS queries through the ClusterIP, the node itself does not"
    return "Pods get no answer from cluster DNS, the node itself does"


def _text(pod: DnsProbe, outside: DnsProbe) -> str:
    errors = ", ".join(f"{n} {e}" for e, n in sorted(pod.errors.items()))
    return (
        f"{pod.role} {pod.server}:{pod.port} UDP: {pod.answered}/{pod.sent} from a pod ({errors}), "
        f"{outside.answered}/{outside.sent} from the node"
    )


def _fix(probe: DnsProbe) -> Fix:
    return Fix(
        "See where the pods' queries or their answers end; the node's own packets take another way.",
        (
            f"tcpdump -nei any host {probe.server} and udp",
            "sysctl net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables",
            "iptables-save -c -t filter | grep -E '^:FORWARD|DROP|REJECT'",
        ),
        verify=f"from a pod: dig @{probe.server} {probe.name}",
    )
