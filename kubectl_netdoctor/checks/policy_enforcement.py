"""Whether anything in the cluster enforces NetworkPolicies."""

from __future__ import annotations

from kubectl_netdoctor.checks import datapath, overlay
from kubectl_netdoctor.checks.base import PerNode
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import ConfigMaps, Nodes, Pods, Workloads
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables

# What enforces NetworkPolicy, by a part of a workload's, a pod's or an image's name.
ENFORCERS = (
    "calico", "canal", "cilium", "kube-router", "antrea", "weave", "network-polic", "netpol",
    "romana", "ovn", "kube-ovn", "tigera", "nsx", "contiv", "trireme", "policy",
)  # fmt: skip
# Those of them that have policies of their own kinds, which add to NetworkPolicies or come before.
OWN_KINDS = ("calico", "canal", "tigera", "antrea", "ovn", "kube-ovn", "nsx")
CHAINS = ("KUBE-NWPLCY", "KUBE-POD-FW", "KUBE-ROUTER", "cali-", "WEAVE-NPC", "ANTREA")
EMBEDDED = ("+k3s", "+rke2")  # a controller inside the node's own program


def enforcer(nodes: Nodes, workloads: Workloads, pods: Pods, maps: ConfigMaps | None) -> str | None:
    """What enforces policies here, in a word; None where nothing is known to."""
    cilium = datapath.cilium(workloads, maps)
    if cilium is not None:
        return datapath.CILIUM if cilium.enforces_policies else None
    if any(mark in n.kubelet_version for n in nodes.items for mark in EMBEDDED):
        return "the node's own policy controller"
    texts = [t for w in workloads.items for t in (w.name, *w.images, *w.labels.values())]
    texts += [t for p in pods.items for t in (p.name, *p.images, *p.labels.values())]
    return next((m for m in ENFORCERS if any(m in text.lower() for text in texts)), None)


def known(nodes: Nodes, workloads: Workloads, pods: Pods) -> bool:
    """Whether something that can enforce policies goes by one of its names."""
    foreign = any("calico" in k or "cilium" in k for n in nodes.items for k in n.annotations)
    return foreign or enforcer(nodes, workloads, pods, None) is not None


def plain_flannel(nodes: Nodes) -> bool:
    """Whether most nodes publish flannel, which itself enforces none."""
    plain = [n for n in nodes.items if overlay.flannel_backend(n)]
    return bool(plain) and len(plain) * 2 >= len(nodes.items)


def programmed(iptables: PerNode[Iptables] | None, nftables: PerNode[Nftables] | None) -> bool:
    """Whether a scanned node has rules of a policy controller, whatever its name is."""
    for fact in iptables.values() if iptables else ():
        for ruleset in (fact.legacy, fact.nft):
            chains = () if isinstance(ruleset, Missing) else ruleset.chains
            if any(chain.name.startswith(CHAINS) for chain in chains):
                return True
    tables = {c.table for fact in (nftables.values() if nftables else ()) for c in fact.chains}
    return any(mark in table for mark in ENFORCERS for table in tables)
