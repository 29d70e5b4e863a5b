"""POL-04."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.facts.cluster import NetworkPolicies, NetworkPolicyInfo, Nodes, Workloads
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.firewalls import iptables_rule
from tests.unit.recorded import change_cluster, change_items, findings, healthy

DENY = NetworkPolicyInfo("shop", "deny-all", "{}")


def denied() -> Snapshot:
    """The healthy lab with one policy."""
    return change_cluster(healthy(), NetworkPolicies, lambda _: NetworkPolicies((DENY,)))


def machines(**change: Any) -> Snapshot:
    """The same with every Node changed."""
    return change_cluster(
        denied(), Nodes, change_items(Nodes, lambda n: dataclasses.replace(n, **change))
    )


def with_workload(name: str) -> Snapshot:
    """The same with one more DaemonSet."""
    return change_cluster(
        denied(), Workloads,
        lambda w: Workloads((*w.items, dataclasses.replace(w.items[0], name=name))),
    )  # fmt: skip


def test_a_policy_on_plain_flannel_fires() -> None:
    """The policy is named."""
    (found,) = findings("POL-04", denied())
    assert "shop/deny-all" in found.evidence[0].text


def test_no_policy_is_silent() -> None:
    """Nothing to enforce."""
    assert findings("POL-04", healthy()) == []


@pytest.mark.parametrize(
    "quiet",
    [
        with_workload("canal"),
        with_workload("kube-network-policies"),
        machines(kubelet_version="v1.34.4+k3s1"),
        machines(annotations={"network.cilium.io/ipv4-cilium-host": "10.0.0.1"}),
        iptables_rule(denied(), "nft", "KUBE-NWPLCY-ABC", "-j RETURN"),
    ],
    ids=["Canal", "a controller", "k3s", "another CNI", "a controller's rules"],
)
def test_something_enforces(quiet: Snapshot) -> None:
    """By name, by version, by its rules."""
    assert findings("POL-04", quiet) == []
