"""RTE-13."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.cluster import NetworkPolicies, NetworkPolicyInfo
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.netfilter import Iptables
from kubectl_netdoctor.facts.pod_probe import PodPathProbe, PodProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.companions import NAMESPACE, silent, with_companions, without_companions
from tests.unit.recorded import (
    change_cluster,
    change_node,
    findings,
    healthy,
    outcomes,
    recorded,
)

ID = "RTE-13"


def to_pods(probe: PodPathProbe) -> bool:
    """Probes from a pod to a pod or to the end of a tunnel."""
    return probe.vantage == "pod" and probe.role in ("companion", "overlay")


def cut(error: str = "timeout") -> Snapshot:
    """n3's pods reach no other, and no other reaches them."""
    snapshot = silent(with_companions(), "n3", to_pods, error)
    for name in ("n1", "n2"):
        snapshot = silent(snapshot, name, lambda p: to_pods(p) and p.peer == "n3", error)
    return snapshot


def of_one_pod() -> Snapshot:
    """n3's pod answers no other pod; the end of n3's tunnel does."""
    snapshot = with_companions()
    for name in ("n1", "n2"):
        snapshot = silent(snapshot, name, lambda p: p.role == "companion" and p.peer == "n3")
    assert findings(ID, snapshot)
    return snapshot


@pytest.mark.parametrize("error", ["timeout", "admin-prohibited", "port-unreachable"])
def test_a_node_whose_pods_are_cut_off(error: str) -> None:
    """It is named, with all pairs, what came instead, and what the node itself reaches."""
    (found,) = findings(ID, cut(error))
    assert found.nodes == {"n3"}
    assert set(found.paths) == {("n3", "n1"), ("n3", "n2"), ("n1", "n3"), ("n2", "n3")}
    assert found.confidence is Confidence.LIKELY
    assert any(error in e.text for e in found.evidence)
    assert any("the node itself" in e.text for e in found.evidence)


def test_one_pair() -> None:
    """Both nodes are named."""
    one = silent(with_companions(), "n3", lambda p: to_pods(p) and p.peer == "n1")
    (found,) = findings(ID, one)
    assert found.nodes == {"n1", "n3"}


def test_healthy() -> None:
    """Nothing to say."""
    assert findings(ID, with_companions()) == []
    assert outcomes(ID, with_companions()) == {"Passed"}


@pytest.mark.parametrize("protocol", ["icmp", "udp", "tcp"])
def test_one_protocol_that_answers_is_enough(protocol: str) -> None:
    """A filter of two protocols, or a responder that has ended, is no cut."""
    some = silent(with_companions(), "n3", lambda p: to_pods(p) and p.protocol != protocol)
    assert findings(ID, some) == []


def test_a_pod_that_its_own_node_does_not_reach_proves_nothing() -> None:
    """Then the pod is gone, and its silence is nobody's fault."""
    gone = silent(of_one_pod(), "n3", lambda p: p.vantage == "node" and p.peer == "n3")
    assert findings(ID, gone) == []


def test_a_companion_that_ended_proves_nothing() -> None:
    """Killed in the middle of the run."""

    def end(fact: Companions) -> Companions:
        items = tuple(
            dataclasses.replace(c, status="ended") if c.node == "n3" else c for c in fact.items
        )
        return dataclasses.replace(fact, items=items)

    assert findings(ID, change_cluster(of_one_pod(), Companions, end)) == []


def test_the_end_of_the_tunnel_stands_in_for_a_pod() -> None:
    """A scan of one node has no companion elsewhere."""

    def alone(fact: PodProbes) -> PodProbes:
        items = tuple(p for p in fact.items if p.role != "companion" or p.peer == "n3")
        return dataclasses.replace(fact, items=items)

    snapshot = change_node(silent(with_companions(), "n3", to_pods), "n3", PodProbes, alone)
    (found,) = findings(ID, snapshot)
    assert found.nodes == {"n3"}
    assert "the tunnel's end" in found.evidence[0].text


@pytest.mark.parametrize(
    ("namespace", "spec", "outcome"),
    [
        (NAMESPACE, '{"podSelector": {}}', {"Skipped"}),
        (NAMESPACE, '{"podSelector": {"matchExpressions": []}}', {"Skipped"}),
        (NAMESPACE, "damaged", {"Skipped"}),
        (NAMESPACE, '{"podSelector": {"matchLabels": {"app": "shop"}}}', {"Found"}),
        ("shop", '{"podSelector": {}}', {"Found"}),
    ],
)
def test_a_policy_of_the_probes_own_namespace(namespace: str, spec: str, outcome: set[str]) -> None:
    """It may be what holds the probes back: then nothing is proven."""
    policy = NetworkPolicyInfo(namespace, "deny", spec)
    policed = change_cluster(cut(), NetworkPolicies, lambda _: NetworkPolicies((policy,)))
    assert outcomes(ID, policed) == outcome


def test_without_companions_it_is_unknown() -> None:
    """Never healthy."""
    assert outcomes(ID, without_companions(healthy())) == {"Skipped"}


def test_a_forwarding_rule_for_that_pod_is_named() -> None:
    """With the command that takes it away."""
    dropping = recorded("forward_drop")
    rules = next(n.envelope for n in dropping.nodes if n.name == "n3" and n.envelope)
    assert rules is not None
    snapshot = change_node(cut(), "n3", Iptables, lambda _: rules.facts["iptables"])
    (found,) = findings(ID, snapshot)
    assert found.confidence is Confidence.CERTAIN
    assert any("FORWARD" in e.text for e in found.evidence)
