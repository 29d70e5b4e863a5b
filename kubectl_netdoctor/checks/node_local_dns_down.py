"""DNS-11: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import dns_cells, kubelet_dns
from kubectl_netdoctor.checks.base import (
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import NodeInfo, PodInfo, Pods
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.link import Addresses
from kubectl_netdoctor.facts.resolver import Resolver

LABEL = "node-local-dns"


@check("DNS-11", Severity.CRITICAL, since="0.1")
def node_local_dns_down(
    resolver: Resolver,
    matrix: DnsMatrix,
    addresses: Addresses | None,
    node: NodeInfo | None,
    pods: Pods | None,
) -> Iterator[Finding]:
    """NodeLocal DNSCache does not answer on a node whose pods use it.

    Meaning: the kubelet hands pods a link-local address as their resolver, and nothing answers there
      from this node, while cluster DNS itself answers.
    Impact: every lookup of every pod on this node fails.
    Diagnosis: the address is asked from the node; whether an interface has it, and its pod's state,
      are shown. The dummy interface is always DOWN or NO-CARRIER, which means nothing.
    Mitigation: restart the node-local-dns pod and give it memory; until then hand pods the ClusterIP.
    Source: kubernetes/dns#561, #453; Kubernetes, Using NodeLocal DNSCache.
    """
    settings = resolver.kubelet
    if isinstance(settings, Missing):
        raise Inconclusive(f"the kubelet's settings: {settings.detail}")
    local = [a for a in settings.cluster_dns if kubelet_dns.link_local(a)]
    if not local or len(local) < len(settings.cluster_dns):
        return  # no cache, or a reserve beside it
    one = kubelet_dns.seen_of(matrix, local[0])
    if one is None or sum(c.sent for c in one.plain) < dns_cells.ENOUGH:
        raise Inconclusive(f"{local[0]} was not asked often enough")
    if any(c.answered for c in one.cells):
        return
    others = [
        o
        for o in dns_cells.seen("", matrix, None)
        if o.role == "endpoint" and dns_cells.works(o.plain)
    ]
    if not others:
        raise Inconclusive("no endpoint of cluster DNS answered either")
    bound = [a for a in (addresses.items if addresses else ()) if a.address == local[0]]
    where = f"bound to {bound[0].interface}" if bound else "bound to no interface"
    name = node.name if node else None
    delete = f"kubectl -n kube-system delete pod -l k8s-app={LABEL}"
    yield Finding(
        title=f"NodeLocal DNSCache ({local[0]}) does not answer: no lookup works in pods of this node",
        evidence=evidence(
            f"{local[0]}: {dns_cells.counts(one.plain)}",
            *([f"{local[0]} is {where}"] if addresses else []),
            *(f"{o.server}: {dns_cells.counts(o.plain)}" for o in others[:2]),
            *(_state(p) for p in _cache_pods(pods, name)),
        ),
        fix=Fix(
            "Restart the cache of this node; look at its log for memory and xtables locks.",
            (
                f"kubectl -n kube-system logs -l k8s-app={LABEL} --tail=30",
                f"{delete} --field-selector spec.nodeName={name or 'NODE'}",
            ),
            verify=f"dig +short @{local[0]} kubernetes.default.svc.cluster.local",
            run_on="kubectl",
        ),
    )


def _cache_pods(pods: Pods | None, name: str | None) -> Iterator[PodInfo]:
    for pod in pods.items if pods else ():
        if pod.node == name and pod.labels.get("k8s-app") == LABEL:
            yield pod


def _state(pod: PodInfo) -> str:
    why = f", {', '.join(pod.waiting)}" if pod.waiting else ""
    return f"pod {pod.name}: {pod.phase}{why}, {pod.restarts} restarts"
