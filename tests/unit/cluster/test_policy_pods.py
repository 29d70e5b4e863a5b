"""Whose egress is isolated, by whom: counted, never named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netdoctor.cluster import policy_pods
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.inventory import read_inventory
from kubectl_netdoctor.cluster.policy_pods import isolates_egress
from kubectl_netdoctor.facts.cluster import NetworkPolicyInfo
from kubectl_netdoctor.facts.policy_pods import LabelledNamespace, PodGroup, PolicyPods
from tests.unit.cluster.fake_server import FakeServer


def add_policy(server: FakeServer, name: str, selector: Any, namespace: str = "shop") -> None:
    """One that isolates egress."""
    spec = {"podSelector": selector, "policyTypes": ["Egress"]}
    server.store.add(
        "networkpolicies", {"metadata": {"name": name, "namespace": namespace}, "spec": spec}
    )


def add_pod(server: FakeServer, name: str, labels: dict[str, str], **spec: Any) -> None:
    """A running pod."""
    server.store.add(
        "pods",
        {
            "metadata": {"name": name, "namespace": "shop", "labels": labels},
            "spec": {"dnsPolicy": "ClusterFirst", **spec},
            "status": {"phase": "Running"},
        },
    )


def read(api: Api) -> PolicyPods:
    """The fact."""
    found = read_inventory(api)["policy_pods"]
    assert isinstance(found, PolicyPods)
    return found


def test_pods_are_counted_by_their_policies(api: Api, server: FakeServer) -> None:
    """Each pod once, under all policies that select it."""
    server.store.add(
        "namespaces", {"metadata": {"name": "kube-system", "labels": {"team": "platform"}}}
    )
    add_policy(server, "all", {})
    add_policy(server, "web", {"matchLabels": {"app": "web"}})
    for name in ("a", "b"):
        add_pod(server, name, {"app": "web"})
    add_pod(server, "c", {"app": "db"})
    add_pod(server, "host", {"app": "web"}, hostNetwork=True)
    add_pod(server, "own-resolver", {"app": "web"}, dnsPolicy="Default")

    found = read(api)

    assert found == PolicyPods(
        (PodGroup("shop", ("all",), 1), PodGroup("shop", ("all", "web"), 2)),
        (LabelledNamespace("kube-system", {"team": "platform"}),),
        (),
    )


def test_other_namespaces_are_not_looked_at(api: Api, server: FakeServer) -> None:
    """No policy of egress, no question about anybody's pods."""
    add_pod(server, "a", {})
    body = {"metadata": {"name": "in", "namespace": "shop"}, "spec": {"policyTypes": ["Ingress"]}}
    server.store.add("networkpolicies", body)

    assert read(api).groups == ()
    assert not [r for r in server.requests if "/shop/" in r.path]


def test_too_many_namespaces_are_said(
    api: Api, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not looked at is named."""
    monkeypatch.setattr(policy_pods, "MAX_NAMESPACES", 1)
    for namespace in ("a", "b"):
        add_policy(server, "deny", {}, namespace)

    assert read(api).unread == ("b",)


@pytest.mark.parametrize(
    ("spec", "isolated"),
    [
        ({"policyTypes": ["Ingress", "Egress"]}, True),
        ({"egress": [{}]}, True),
        ({"policyTypes": ["Ingress"], "egress": [{}]}, False),
        ({"podSelector": {}}, False),
        ("?", False),
    ],
)
def test_which_policies_isolate_egress(spec: Any, isolated: bool) -> None:
    """Those that say so, or have egress rules and say nothing."""
    text = spec if isinstance(spec, str) else json.dumps(spec)
    assert isolates_egress(NetworkPolicyInfo("shop", "p", text)) is isolated
