"""Faults injected on a real node, each taken back when its `with` block ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.lab import Lab

NODE = "n3"
KUBE_SYSTEM = ("-n", "kube-system")
Fault = Callable[[Lab], AbstractContextManager[None]]


@contextmanager
def ip_forward_off(lab: Lab) -> Iterator[None]:
    """A hardening script switches forwarding off."""
    lab.on(NODE, "sysctl", "-qw", "net.ipv4.ip_forward=0")
    try:
        yield
    finally:
        lab.on(NODE, "sysctl", "-qw", "net.ipv4.ip_forward=1")


@contextmanager
def forward_drop(lab: Lab) -> Iterator[None]:
    """Docker's policy, and a CNI agent that does not put its accepting rules back."""
    lab.on(NODE, "pkill", "-STOP", "flanneld")
    rule = ("-m", "comment", "--comment", "flanneld forward", "-j", "FLANNEL-FWD")
    lab.on(NODE, "iptables", "-D", "FORWARD", *rule)
    lab.on(NODE, "iptables", "-P", "FORWARD", "DROP")
    try:
        yield
    finally:
        lab.on(NODE, "iptables", "-P", "FORWARD", "ACCEPT")
        lab.on(NODE, "iptables", "-A", "FORWARD", *rule)
        lab.on(NODE, "pkill", "-CONT", "flanneld")


@contextmanager
def rule(lab: Lab, *spec: str) -> Iterator[None]:
    """A rule inserted on the node, such as `INPUT -p udp --dport 8472 -j DROP`."""
    lab.on(NODE, "iptables", "-I", *spec)
    try:
        yield
    finally:
        lab.on(NODE, "iptables", "-D", *spec)


def vxlan_port_blocked(lab: Lab) -> AbstractContextManager[None]:
    """The host firewall forgets the overlay's port."""
    return rule(lab, "INPUT", "-p", "udp", "--dport", "8472", "-j", "DROP")


@contextmanager
def fdb_entry_deleted(lab: Lab) -> Iterator[None]:
    """One peer's forwarding entry is gone from the VXLAN device."""
    entries = lab.on(NODE, "bridge", "fdb", "show", "dev", "flannel.1").splitlines()
    mac, _, address = entries[0].split()[:3]
    change = (mac, "dev", "flannel.1", "dst", address)
    lab.on(NODE, "bridge", "fdb", "del", *change)
    try:
        yield
    finally:
        lab.on(NODE, "bridge", "fdb", "append", *change, "self", "permanent")


@contextmanager
def kube_proxy_gone(lab: Lab) -> Iterator[None]:
    """The DaemonSet no longer selects the node, as after a wrong label or affinity."""
    wanted = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [NODE]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    _patch_kube_proxy(lab, affinity)
    wait_for(lambda: NODE not in _kube_proxy_nodes(lab))
    try:
        yield
    finally:
        _patch_kube_proxy(lab, None)
        lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "daemonset/kube-proxy", "--timeout=60s")


def _patch_kube_proxy(lab: Lab, affinity: object) -> None:
    patch = json.dumps({"spec": {"template": {"spec": {"affinity": affinity}}}})
    lab.kubectl(*KUBE_SYSTEM, "patch", "daemonset", "kube-proxy", "--type=merge", "-p", patch)
    lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "daemonset/kube-proxy", "--timeout=60s")


def _kube_proxy_nodes(lab: Lab) -> set[str]:
    pods = lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", "-l", "k8s-app=kube-proxy")
    return {pod["spec"]["nodeName"] for pod in pods["items"]}


@contextmanager
def coredns_scaled_to_zero(lab: Lab) -> Iterator[None]:
    """Somebody scaled cluster DNS away."""
    scale = (*KUBE_SYSTEM, "scale", "deployment/coredns")
    lab.kubectl(*scale, "--replicas=0")
    wait_for(lambda: not dns_endpoints(lab) and not _dns_pods(lab))
    try:
        yield
    finally:
        lab.kubectl(*scale, "--replicas=2")
        lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "deployment/coredns", "--timeout=60s")


def _dns_pods(lab: Lab) -> list[str]:
    return lab.kubectl(*KUBE_SYSTEM, "get", "pods", "-l", "k8s-app=kube-dns", "-o", "name").split()


def dns_endpoints(lab: Lab) -> list[str]:
    """Ready addresses of cluster DNS."""
    slices = lab.kubectl_json(
        *KUBE_SYSTEM, "get", "endpointslices", "-l", "kubernetes.io/service-name=kube-dns"
    )
    return [
        address
        for piece in slices["items"]
        for endpoint in piece.get("endpoints") or []
        if endpoint["conditions"].get("ready")
        for address in endpoint["addresses"]
    ]


def dns_endpoint_dropped(lab: Lab) -> AbstractContextManager[None]:
    """Queries to one of the DNS pods are dropped on their way out."""
    return rule(
        lab, "OUTPUT", "-d", dns_endpoints(lab)[0], "-p", "udp", "--dport", "53", "-j", "DROP"
    )


@contextmanager
def packet_loss(lab: Lab) -> Iterator[None]:
    """30 % of what arrives at the node's NIC is lost."""
    hook = "{ type filter hook ingress device eth0 priority 0; }"
    lab.on(NODE, "nft", "add", "table", "netdev", "loss")
    lab.on(NODE, "nft", f"add chain netdev loss in {hook}")
    lab.on(NODE, "nft", "add rule netdev loss in numgen random mod 100 < 30 counter drop")
    try:
        yield
    finally:
        lab.on(NODE, "nft", "delete", "table", "netdev", "loss")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the fault is truly in force, as the API or the node itself says."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            message = "the fault did not come into force"
            raise TimeoutError(message)
        time.sleep(0.2)


FAULTS: dict[str, tuple[str, Fault]] = {
    "ip_forward_off": ("RTE-09", ip_forward_off),
    "forward_drop": ("NF-01", forward_drop),
    "vxlan_port_blocked": ("ENC-01", vxlan_port_blocked),
    "fdb_entry_deleted": ("ENC-05", fdb_entry_deleted),
    "kube_proxy_gone": ("SVC-01", kube_proxy_gone),
    "coredns_scaled_to_zero": ("DNS-04", coredns_scaled_to_zero),
    "dns_endpoint_dropped": ("DNS-05", dns_endpoint_dropped),
    "packet_loss": ("NIC-03", packet_loss),
}
"""Each fault with the ID that must be the first row while it lasts."""
