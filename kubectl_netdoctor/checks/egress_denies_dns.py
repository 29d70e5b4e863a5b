"""POL-01: see the check's docstring."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns, datapath, policy_egress, policy_enforcement
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    Subject,
    check,
)
from kubectl_netdoctor.checks.packet import Match, network
from kubectl_netdoctor.checks.policy_egress import DnsServer
from kubectl_netdoctor.facts.cilium import Cilium
from kubectl_netdoctor.facts.cluster import (
    ConfigMaps,
    EndpointSlices,
    NetworkPolicies,
    NetworkPolicyInfo,
    Nodes,
    Pods,
    ServiceInfo,
    Services,
    Workloads,
)
from kubectl_netdoctor.facts.policy_pods import PodGroup, PolicyPods

ALLOWANCE = "allow-dns"  # the policy that the fix makes


@check("POL-01", Severity.HIGH, since="0.1")
def egress_denies_dns(
    policies: NetworkPolicies,
    groups: PolicyPods,
    services: Services,
    slices: EndpointSlices,
    pods: Pods,
    nodes: Nodes,
    workloads: Workloads,
    maps: ConfigMaps | None,
    cilium: Cilium | None,
) -> Iterator[Finding]:
    """NetworkPolicies deny pods the way to cluster DNS.

    Meaning: pods of a namespace are selected by policies that isolate egress, and none of these
      policies allows UDP queries to cluster DNS.
    Impact: every name fails in these pods, inside the cluster and outside; addresses may work.
    Diagnosis: judged only where something enforces policies. A pod's policies add up, so one that
      allows DNS is enough: by pod and namespace selectors, by an ipBlock that holds a DNS address,
      or by a rule without peers or ports. Pods on the host network or with resolvers of their own
      are not counted, nor are policies without pods. Policies of the CNI's own kinds (Cilium,
      Calico, Antrea, OVN) are not read, and may allow it: where there may be some, nothing is
      claimed. Selected pods that may send nothing at all may be meant so: low, unless the whole
      namespace is selected.
    Mitigation: allow egress to the pods of cluster DNS, port 53, UDP and TCP.
    Source: Kubernetes documentation, Network Policies; Azure/azure-container-networking#450.
    """
    if not groups.groups:
        return
    enforcer = policy_enforcement.enforcer(nodes, workloads, pods, maps)
    if enforcer is None:
        return
    service = cluster_dns.service(services)
    server = _server(service, slices, pods, groups) if service else None
    if server is None:
        raise Inconclusive("cluster DNS, to which policies should allow the way, was not found")
    counted = enforcer == datapath.CILIUM and cilium is not None and cilium.policies == 0
    if enforcer in (datapath.CILIUM, *policy_enforcement.OWN_KINDS) and not counted:
        raise Inconclusive(f"policies of {enforcer}'s own kinds, which are not read, may allow DNS")
    known = {(p.namespace, p.name): p for p in policies.items}
    for group in groups.groups:
        own = [known[group.namespace, n] for n in group.policies if (group.namespace, n) in known]
        whole = len(own) == len(group.policies)
        if whole and group.pods and policy_egress.allows_dns(own, server) is Match.NO:
            yield _finding(group, own, server, enforcer)


def _server(
    service: ServiceInfo, slices: EndpointSlices, pods: Pods, groups: PolicyPods
) -> DnsServer | None:
    endpoints = cluster_dns.endpoints(service, slices)
    names = {e.pod for e in endpoints}
    labels = next((n.labels for n in groups.namespaces if n.name == service.namespace), None)
    if not endpoints or labels is None:
        return None
    return DnsServer(
        addresses=frozenset(
            a for a in (*service.cluster_ips, *(e.address for e in endpoints)) if network(a)
        ),
        ports=frozenset(e.port for e in endpoints),
        port_names=frozenset(
            name for p in service.ports if p.protocol == "UDP" for name in (p.name, p.target_port)
        ),
        namespace=service.namespace,
        namespace_labels=labels,
        pod_labels=tuple(
            p.labels for p in pods.items if p.namespace == service.namespace and p.name in names
        ),
    )


def _finding(
    group: PodGroup, own: list[NetworkPolicyInfo], server: DnsServer, enforcer: str
) -> Finding:
    namespace, names = group.namespace, ", ".join(group.policies)
    some = any(policy_egress.rules(p) for p in own)
    meant = not some and not any(policy_egress.takes_all_pods(p) for p in own)
    plural = "s" if group.pods > 1 else ""
    allowed = "these allow other egress, and not DNS" if some else "nothing at all may be sent"
    what = "policies isolate" if len(group.policies) > 1 else "policy isolates"
    return Finding(
        title=f"Pods in {namespace} may not ask cluster DNS: NetworkPolicy {names}",
        severity=Severity.LOW if meant else None,
        confidence=Confidence.POSSIBLE if meant else Confidence.LIKELY,
        evidence=(
            Evidence(f"{what} the egress of {group.pods} pod{plural} in {namespace}: {allowed}"),
            Evidence(f"cluster DNS is {server.namespace}, {', '.join(_in_order(server))}"),
            Evidence(f"enforced by {enforcer}"),
        ),
        subjects=tuple(Subject("NetworkPolicy", f"{namespace}/{n}") for n in group.policies),
        scope=f"{group.pods} pod{plural} in {namespace}",
        fix=_fix(namespace, server),
    )


def _in_order(server: DnsServer) -> list[str]:
    """By number, as redaction keeps it; the order of the texts is another under pseudonyms."""
    return sorted(server.addresses, key=lambda a: (":" in a, ipaddress.ip_address(a)))


def _fix(namespace: str, server: DnsServer) -> Fix:
    return Fix(
        "Allow DNS beside the policies that deny: egress to the pods of cluster DNS, port 53. With "
        "NodeLocal DNSCache allow its address by an ipBlock too.",
        (f"kubectl apply -f - <<< '{json.dumps(_allowance(namespace, server))}'",),
        run_on="kubectl",
        verify=f"kubectl -n {namespace} exec POD -- nslookup kubernetes.default",
        rollback=f"kubectl -n {namespace} delete networkpolicy {ALLOWANCE}",
    )


def _allowance(namespace: str, server: DnsServer) -> dict[str, object]:
    """A policy that lets all pods of the namespace ask cluster DNS."""
    app = next((p["k8s-app"] for p in server.pod_labels if "k8s-app" in p), "kube-dns")
    place = {"matchLabels": {"kubernetes.io/metadata.name": server.namespace}}
    to = {"namespaceSelector": place, "podSelector": {"matchLabels": {"k8s-app": app}}}
    ports = [{"protocol": p, "port": n} for n in sorted(server.ports) for p in ("UDP", "TCP")]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": ALLOWANCE, "namespace": namespace},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [to], "ports": ports}],
        },
    }
