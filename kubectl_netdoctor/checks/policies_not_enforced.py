"""POL-04: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import NetworkPolicies, Nodes, Pods, Workloads
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables

# What enforces NetworkPolicy, by a part of a workload's, a pod's or an image's name.
ENFORCERS = (
    "calico", "canal", "cilium", "kube-router", "antrea", "weave", "network-polic", "netpol",
    "romana", "ovn", "kube-ovn", "tigera", "nsx", "contiv", "trireme", "policy",
)  # fmt: skip
CHAINS = ("KUBE-NWPLCY", "KUBE-POD-FW", "KUBE-ROUTER", "cali-", "WEAVE-NPC", "ANTREA")
EMBEDDED = ("+k3s", "+rke2")  # a controller inside the node's own program


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
    plain = [n for n in nodes.items if overlay.flannel_backend(n)]
    if not policies.items or not plain or len(plain) * 2 < len(nodes.items):
        return
    if any(mark in n.kubelet_version for n in nodes.items for mark in EMBEDDED):
        return
    if _known(nodes, workloads, pods) or _programmed(iptables, nftables):
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


def _known(nodes: Nodes, workloads: Workloads, pods: Pods) -> bool:
    """Whether something that enforces policies goes by one of its names."""
    texts = [t for w in workloads.items for t in (w.name, *w.images, *w.labels.values())]
    texts += [t for p in pods.items for t in (p.name, *p.images, *p.labels.values())]
    foreign = any("calico" in k or "cilium" in k for n in nodes.items for k in n.annotations)
    return foreign or any(mark in text.lower() for mark in ENFORCERS for text in texts)


def _programmed(iptables: PerNode[Iptables] | None, nftables: PerNode[Nftables] | None) -> bool:
    """Whether a scanned node has rules of a policy controller, whatever its name is."""
    for fact in iptables.values() if iptables else ():
        for ruleset in (fact.legacy, fact.nft):
            chains = () if isinstance(ruleset, Missing) else ruleset.chains
            if any(chain.name.startswith(CHAINS) for chain in chains):
                return True
    tables = {c.table for fact in (nftables.values() if nftables else ()) for c in fact.chains}
    return any(mark in table for mark in ENFORCERS for table in tables)
