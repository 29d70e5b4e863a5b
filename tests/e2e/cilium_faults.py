"""Faults of a cluster whose datapath is Cilium's, each taken back when its `with` block ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.e2e.faults import KUBE_SYSTEM, NODE, Fault, dns_endpoints, rule, wait_for
from tests.lab import Lab

SHOP = "shop"
ASKER = "asker"
AGENT = "k8s-app=cilium"


def tunnel_port_blocked(lab: Lab) -> AbstractContextManager[None]:
    """The host firewall forgets the tunnel's port, before Cilium's own chains."""
    return rule(lab, "INPUT", "-p", "udp", "--dport", "8472", "-j", "DROP")


@contextmanager
def egress_denied(lab: Lab) -> Iterator[None]:
    """A namespace denies all egress, and forgets that names are asked over the network."""
    lab.kubectl("create", "namespace", SHOP)
    try:
        lab.kubectl("apply", "-f", "-", input=json.dumps(_asker()))
        lab.kubectl("-n", SHOP, "wait", "--for=condition=Ready", f"pod/{ASKER}", "--timeout=60s")
        wait_for(lambda: resolves(lab))
        lab.kubectl("apply", "-f", "-", input=json.dumps(_deny()))
        wait_for(lambda: not resolves(lab))
        yield
    finally:
        lab.kubectl("delete", "namespace", SHOP)


def resolves(lab: Lab) -> bool:
    """Whether a pod of the namespace gets an answer from cluster DNS."""
    ask = "import socket; socket.setdefaulttimeout(1); socket.gethostbyname('kubernetes.default')"
    environment = "RES_OPTIONS=timeout:1 attempts:1"
    words = ("exec", ASKER, "--", "env", environment, "python3", "-c", ask)
    return lab.run("kubectl", "-n", SHOP, *words, timeout=60).returncode == 0


def _asker() -> dict[str, object]:
    container = {
        "name": "main",
        "image": "netlab.local/node:1",
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": ASKER, "namespace": SHOP, "labels": {"app": "asker"}},
        "spec": {
            "nodeName": NODE,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }


def _deny() -> dict[str, object]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny-egress", "namespace": SHOP},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }


@contextmanager
def agent_gone(lab: Lab) -> Iterator[None]:
    """The DaemonSet no longer selects the node, as after a wrong label or affinity."""
    wanted = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [NODE]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    _patch(lab, affinity)
    try:
        wait_for(lambda: NODE not in _nodes_with_agent(lab))
        _rolled_out(lab)
        yield
    finally:
        _patch(lab, None)
        wait_for(lambda: NODE in _nodes_with_agent(lab))
        _rolled_out(lab)


def _patch(lab: Lab, affinity: object) -> None:
    patch = json.dumps({"spec": {"template": {"spec": {"affinity": affinity}}}})
    lab.kubectl(*KUBE_SYSTEM, "patch", "daemonset", "cilium", "--type=merge", "-p", patch)


def _nodes_with_agent(lab: Lab) -> set[str]:
    pods = lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", "-l", AGENT)["items"]
    return {pod["spec"].get("nodeName", "") for pod in pods}


def _rolled_out(lab: Lab) -> None:
    lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "daemonset/cilium", "--timeout=240s")


def dns_endpoint_dropped(lab: Lab) -> AbstractContextManager[None]:
    """A firewall takes the node's queries to one of the DNS pods."""
    return rule(
        lab, "OUTPUT", "-d", dns_endpoints(lab)[0], "-p", "udp", "--dport", "53", "-j", "DROP"
    )


FAULTS: dict[str, tuple[str, Fault]] = {
    "tunnel_port_blocked": ("ENC-01", tunnel_port_blocked),
    "egress_denied": ("POL-01", egress_denied),
    "agent_gone": ("CNI-07", agent_gone),
    "dns_endpoint_dropped": ("DNS-05", dns_endpoint_dropped),
}
