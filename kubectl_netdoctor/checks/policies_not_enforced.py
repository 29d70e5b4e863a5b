"""POL-04: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import policy_enforcement
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.facts.cluster import NetworkPolicies, Nodes, Pods, Workloads
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables


@check("POL-04", Severity.MEDIUM, since="0.1")
def policies_not_enforced(
    policies: NetworkPolicies,
    nodes: Nodes,
    workloads: Workloads,
    pods: Pods,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """NetworkPolicies exist and nothing enforces them.

    Meaning: the cluster has NetworkPolicy objects, its CNI is plain flannel, and no policy
      controller runs beside it. The API accepts policies that nobody reads.
    Impact: what is denied is allowed. No traffic breaks, which is why nobody notices.
    Diagnosis: judged only where nodes publish flannel, which itself enforces none; Canal, kube-router
      and flannel's own netpol container are known by their names, and k3s has a controller inside.
    Mitigation: install a policy controller, or remove the policies that only pretend.
    Source: flannel-io/flannel#558, #2004; k3s-io/k3s#445.
    """
    if not policies.items or not policy_enforcement.plain_flannel(nodes):
        return
    if policy_enforcement.known(nodes, workloads, pods):
        return
    if policy_enforcement.programmed(iptables, nftables):
        return
    names = ", ".join(f"{p.namespace}/{p.name}" for p in policies.items[:3])
    more = f" and {len(policies.items) - 3} more" if len(policies.items) > 3 else ""
    yield Finding(
        title="NetworkPolicies exist, and nothing enforces them",
        confidence=Confidence.LIKELY,
        evidence=(
            Evidence(f"{len(policies.items)} NetworkPolicies: {names}{more}"),
            Evidence("the CNI is flannel, and no policy controller runs in the system namespaces"),
        ),
        fix=Fix(
            "Install a controller that enforces them (flannel's netpol, Canal, kube-router's "
            "firewall, kube-network-policies), after a look at what the policies will then deny.",
            ("kubectl get networkpolicies -A",),
            run_on="kubectl",
            verify="kubectl get pods -n kube-system -o wide",
        ),
    )
