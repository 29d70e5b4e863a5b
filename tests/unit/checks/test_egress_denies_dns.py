"""POL-01."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cilium import Cilium
from kubectl_netdoctor.facts.cluster import NetworkPolicyInfo, Pods, Services, Workloads
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.cilium import on_cilium, with_fact, with_policies
from tests.unit.recorded import (
    change_cluster,
    change_items,
    cluster_fact,
    findings,
    healthy,
    outcomes,
)

SYSTEM = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
DNS_PODS = {"matchLabels": {"k8s-app": "kube-dns"}}
UDP, TCP = {"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}


def policy(name: str = "deny", *rules: Any, **spec: Any) -> NetworkPolicyInfo:
    """One that isolates the egress of its whole namespace, with these rules."""
    body = {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules), **spec}
    return NetworkPolicyInfo("shop", name, json.dumps(body))


def allowed(*rules: Any) -> Snapshot:
    """Everything is denied but for these rules of a second policy."""
    return with_policies(on_cilium(), policy(), policy("allow", *rules))


def test_a_denied_namespace_fires() -> None:
    """The policy and its namespace are named, and the fix is a policy beside it."""
    (found,) = findings("POL-01", with_policies(on_cilium(), policy()))
    assert [s.name for s in found.subjects] == ["shop/deny"]
    assert found.severity is Severity.HIGH
    assert "2 pods in shop" in found.evidence[0].text
    assert "Cilium" in found.evidence[2].text
    made = json.loads(found.fix.commands[0].partition("<<< '")[2].rstrip("'"))
    assert made["metadata"]["namespace"] == "shop"
    assert findings("POL-01", allowed(*made["spec"]["egress"])) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"to": [{"podSelector": DNS_PODS}], "ports": [UDP]},
        {"to": [{"namespaceSelector": SYSTEM}], "ports": [TCP]},
        {"to": [{"namespaceSelector": SYSTEM}], "ports": [{"protocol": "UDP", "port": 5353}]},
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dns"}}}]},
        {"to": [{"namespaceSelector": SYSTEM, "podSelector": {"matchLabels": {"k8s-app": "x"}}}]},
        {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["198.19.0.0/16", "169.254.0.0/16"]}}]},
        {"ports": [{"protocol": "TCP", "port": 443}]},
    ],
    ids=["own namespace", "TCP alone", "port", "namespace", "pods", "block", "hole", "web"],
)
def test_other_egress_is_no_allowance(rule: Any) -> None:
    """What it allows is not the way to cluster DNS."""
    (found,) = findings("POL-01", allowed(rule))
    assert len(found.subjects) == 2
    assert "not DNS" in found.evidence[0].text


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"ports": [UDP, TCP]},
        {"to": [{"namespaceSelector": {}}], "ports": [UDP]},
        {"to": [{"namespaceSelector": SYSTEM}], "ports": [UDP, TCP]},
        {"to": [{"namespaceSelector": SYSTEM, "podSelector": DNS_PODS}], "ports": [UDP]},
        {"to": [{"namespaceSelector": SYSTEM}], "ports": [{"protocol": "UDP"}]},
        {"to": [{"namespaceSelector": SYSTEM}],
         "ports": [{"protocol": "UDP", "port": 1, "endPort": 1024}]},
        {"to": [{"namespaceSelector": SYSTEM}], "ports": [{"protocol": "UDP", "port": "dns"}]},
        {"to": [{"namespaceSelector": SYSTEM, "podSelector": {"matchLabels": {"unread": "x"}}}]},
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [UDP]},
        {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": [UDP]},
        {"to": [{"ipBlock": {"cidr": "nonsense"}}]},
    ],
    ids=[
        "everything", "port 53 anywhere", "all namespaces", "namespace", "pods", "any UDP", "range",
        "named port", "labels that are not read", "all addresses", "NodeLocal", "unreadable",
    ],
)  # fmt: skip
def test_an_allowance_beside_the_denial_is_enough(rule: Any) -> None:
    """Policies add up; what cannot be evaluated is no fault."""
    assert findings("POL-01", allowed(rule)) == []


def test_a_controller_of_network_policies_alone_is_believed() -> None:
    """It has no policies of other kinds that could allow it."""
    beside = change_cluster(
        with_policies(healthy(), policy()), Workloads,
        lambda w: Workloads((*w.items, dataclasses.replace(w.items[0], name="kube-router"))),
    )  # fmt: skip
    (found,) = findings("POL-01", beside)
    assert "kube-router" in found.evidence[2].text


def test_a_pod_of_which_nothing_may_be_sent_may_be_meant_so() -> None:
    """A database that only answers needs no names."""
    some = policy(podSelector={"matchLabels": {"app": "db"}})
    (found,) = findings("POL-01", with_policies(on_cilium(), some))
    assert (found.severity, found.confidence) == (Severity.LOW, Confidence.POSSIBLE)


@pytest.mark.parametrize(
    "quiet",
    [
        on_cilium(),
        with_policies(on_cilium(), policy(), pods=0),
        with_policies(on_cilium(enable_policy="never"), policy()),
        with_policies(on_cilium(enable_k8s_networkpolicy="false"), policy()),
        with_policies(healthy(), policy()),
        with_policies(on_cilium(), dataclasses.replace(policy(), spec="?")),
    ],
    ids=["no policy", "no pods", "enforcement off", "not Kubernetes' own", "flannel", "unreadable"],
)
def test_look_alikes_are_silent(quiet: Snapshot) -> None:
    """Nothing selected, nothing enforced, or nothing understood."""
    assert findings("POL-01", quiet) == []


def test_what_is_not_read_is_not_judged() -> None:
    """Cilium's own policies may allow it; without cluster DNS there is no way to allow."""
    denied = with_policies(on_cilium(), policy())
    for count in (3, None):
        assert outcomes("POL-01", with_fact(denied, Cilium((), count))) == {"Skipped"}
    unknown = Missing(Reason.DENIED, "no")
    assert outcomes("POL-01", change_cluster(denied, Cilium, lambda _: unknown)) == {"Skipped"}
    calico = change_cluster(
        with_policies(healthy(), policy()), Workloads,
        lambda w: Workloads((*w.items, dataclasses.replace(w.items[0], name="calico-node"))),
    )  # fmt: skip
    assert outcomes("POL-01", calico) == {"Skipped"}
    bare = change_cluster(denied, Services, lambda _: Services(()))
    assert outcomes("POL-01", bare) == {"Skipped"}


def test_pods_of_cluster_dns_are_known_by_their_labels() -> None:
    """Without their labels a selector that names any may fit."""
    rule = {"to": [{"namespaceSelector": SYSTEM, "podSelector": {"matchLabels": {"app": "dns"}}}]}
    unlabelled = change_cluster(
        allowed(rule), Pods, change_items(Pods, lambda p: dataclasses.replace(p, labels={}))
    )
    assert len(cluster_fact(unlabelled, Pods).items) > 0
    assert findings("POL-01", unlabelled) == []
