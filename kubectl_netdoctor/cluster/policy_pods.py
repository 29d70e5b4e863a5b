"""Pods whose egress NetworkPolicies isolate, counted by the policies that select them.

Pods of application namespaces are looked at only where a policy isolates egress; neither their
names nor their labels leave this module.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api import Api, Json
from kubectl_netdoctor.facts.cluster import NetworkPolicies, NetworkPolicyInfo
from kubectl_netdoctor.facts.label_selector import selects
from kubectl_netdoctor.facts.policy_pods import LabelledNamespace, PodGroup, PolicyPods

MAX_NAMESPACES = 50  # one request each
ENDED = ("Succeeded", "Failed")
CLUSTER_FIRST = "ClusterFirst"  # the API fills it in where a pod says nothing


def read_policy_pods(
    api: Api, policies: NetworkPolicies, namespaces: Iterable[LabelledNamespace]
) -> PolicyPods:
    """The fact. Raises ApiError."""
    isolating: dict[str, list[NetworkPolicyInfo]] = defaultdict(list)
    for policy in policies.items:
        if isolates_egress(policy):
            isolating[policy.namespace].append(policy)
    names = sorted(isolating)
    groups = [
        group
        for name in names[:MAX_NAMESPACES]
        for group in grouped(isolating[name], api.list(f"/api/v1/namespaces/{name}/pods"))
    ]
    return PolicyPods(tuple(groups), tuple(namespaces), tuple(names[MAX_NAMESPACES:]))


def isolates_egress(policy: NetworkPolicyInfo) -> bool:
    """Whether pods that this policy selects may send only what policies allow."""
    spec = _spec(policy)
    types = fields.texts(spec, "policyTypes")
    return "Egress" in types or (not types and bool(fields.objects(spec, "egress")))


def grouped(policies: Iterable[NetworkPolicyInfo], pods: Iterable[Json]) -> list[PodGroup]:
    """Pods of one namespace by the policies that isolate them."""
    policies = sorted(policies, key=lambda p: p.name)
    found: Counter[tuple[str, ...]] = Counter()
    for pod in pods:
        if not _asks_cluster_dns(pod):
            continue
        labels = fields.text_map(pod, "metadata", "labels")
        names = tuple(
            p.name for p in policies if selects(_spec(p).get("podSelector") or {}, labels)
        )
        if names:
            found[names] += 1
    namespace = policies[0].namespace if policies else ""
    return [PodGroup(namespace, names, count) for names, count in sorted(found.items())]


def _asks_cluster_dns(pod: Json) -> bool:
    return (
        fields.text(pod, "status", "phase") not in ENDED
        and fields.some_text(pod, "metadata", "deletionTimestamp") is None
        and not fields.flag(pod, "spec", "hostNetwork")
        and (fields.text(pod, "spec", "dnsPolicy") or CLUSTER_FIRST) == CLUSTER_FIRST
    )


def _spec(policy: NetworkPolicyInfo) -> Json:
    try:
        spec = json.loads(policy.spec)
    except ValueError:
        return {}
    return spec if isinstance(spec, dict) else {}
