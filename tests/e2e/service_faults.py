"""Faults of Services on a real node, each taken back when its `with` block ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.e2e.faults import KUBE_SYSTEM, NODE, Fault, wait_for
from tests.e2e.resident import resident
from tests.lab import Lab

SETTLED = 62  # seconds: what changed less than a minute ago is no ground for a finding
SHOP = "netdoctor-shop"
GONE, HERE = "198.19.1.250", "198.19.0.250"  # nobody has these addresses; rules do not mind
ABSENT_MEMBER = "198.18.0.99"


@contextmanager
def frozen(lab: Lab, pattern: str) -> Iterator[None]:
    """A daemon of the node that hangs: it is there, and does nothing."""
    (pid,) = lab.on(NODE, "pgrep", "-f", pattern).split()
    lab.on(NODE, "kill", "-STOP", pid)
    try:
        yield
    finally:
        lab.on(NODE, "kill", "-CONT", pid)


def settle(lab: Lab) -> None:
    """Wait until nothing wrote a Service or its endpoints, and no node came, in the last minute."""
    wait_for(lambda: _age(lab) > SETTLED, SETTLED + 60)


def _age(lab: Lab) -> float:
    """Seconds since the last write; the lab and this process have one clock."""
    objects = lab.kubectl_json("get", "services,endpointslices", "-A", "--show-managed-fields")
    times = [m["time"] for o in objects["items"] for m in o["metadata"].get("managedFields", [])]
    for item in lab.kubectl_json("get", "nodes")["items"]:
        times += [c["lastTransitionTime"] for c in item["status"]["conditions"]]
    for item in lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", "-l", "k8s-app=kube-proxy")["items"]:
        times.append(item["metadata"]["creationTimestamp"])
    return (datetime.now(UTC) - datetime.fromisoformat(max(times))).total_seconds()


@contextmanager
def stale_backend(lab: Lab) -> Iterator[None]:
    """kube-proxy hangs on one node while a Service's only pod is replaced."""
    _apply(lab, _service(), _slice(SHOP, SHOP, GONE, 8080))
    try:
        wait_for(lambda: GONE in lab.on(NODE, "iptables-save", "-t", "nat"))
        with frozen(lab, "^hyperkube kube-proxy"):
            _apply(lab, _slice(SHOP, SHOP, HERE, 8080))
            settle(lab)
            yield
    finally:
        _delete_service(lab)
        wait_for(lambda: SHOP not in lab.on(NODE, "iptables-save", "-t", "nat"))


@contextmanager
def service_rules_missing(lab: Lab) -> Iterator[None]:
    """Somebody flushed the chain of the API server's Service, and kube-proxy hangs."""
    settle(lab)
    saved = lab.on(NODE, "iptables-save", "-t", "nat").splitlines()
    entry = next(r for r in saved if "default/kubernetes:https cluster IP" in r and "SERVICES" in r)
    chain = entry.split()[-1]
    rules = [r for r in saved if r.startswith(f"-A {chain} ")]
    with frozen(lab, "^hyperkube kube-proxy"):
        lab.on(NODE, "iptables", "-t", "nat", "-F", chain)
        try:
            yield
        finally:
            text = "\n".join(["*nat", *rules, "COMMIT", ""])
            lab.on(NODE, "sh", "-c", f"echo '{text}' | iptables-restore --noflush")


@contextmanager
def hairpin_off(lab: Lab) -> Iterator[None]:
    """The CNI configuration lost its hairpinMode before these pods were made."""
    with resident(lab, NODE):
        links = json.loads(lab.on(NODE, "bridge", "-j", "link", "show"))
        ports = [link["ifname"] for link in links if link.get("master") == "cni0"]
        assert ports
        for port in ports:
            lab.on(NODE, "bridge", "link", "set", "dev", port, "hairpin", "off")
        try:
            yield
        finally:
            for port in ports:  # that of a pod which has ended meanwhile is gone
                lab.on(NODE, "bridge", "link", "set", "dev", port, "hairpin", "on", check=False)


@contextmanager
def masquerade_missing(lab: Lab) -> Iterator[None]:
    """The masquerading rule is gone, and flannel does not put it back."""
    settle(lab)
    chain = "FLANNEL-POSTRTG"
    saved = lab.on(NODE, "iptables-save", "-t", "nat").splitlines()
    rules = [r for r in saved if r.startswith(f"-A {chain} ")]
    with frozen(lab, "^flanneld "):
        lab.on(NODE, "iptables", "-t", "nat", "-F", chain)
        try:
            yield
        finally:
            text = "\n".join(["*nat", *rules, "COMMIT", ""])
            lab.on(NODE, "sh", "-c", f"echo '{text}' | iptables-restore --noflush")


@contextmanager
def no_ready_endpoint(lab: Lab) -> Iterator[None]:
    """The only pod of a Service fails its readiness probe."""
    _apply(lab, _pod(), _service(selector={"app": SHOP}))
    try:
        wait_for(lambda: _pod_address(lab) != "")
        settle(lab)
        yield
    finally:
        _delete_service(lab)
        lab.kubectl("delete", "pod", SHOP, "--grace-period=0", "--force")


@contextmanager
def local_policy_drops(lab: Lab) -> Iterator[None]:
    """A client on a node that has no backend of a Service with internalTrafficPolicy Local."""
    _apply(lab, _service(internalTrafficPolicy="Local"), _slice(SHOP, SHOP, HERE, 8080))
    address = lab.kubectl("get", "service", SHOP, "-o", "jsonpath={.spec.clusterIP}")
    flag, connect = "/run/netdoctor-e2e", f"timeout 0.2 bash -c '</dev/tcp/{address}/80'"
    loop = f"touch {flag}; while test -e {flag}; do {connect}; done"
    try:
        settle(lab)
        lab.on(NODE, "sh", "-c", f"({loop}) >/dev/null 2>&1 </dev/null &")
        yield
    finally:
        lab.on(NODE, "rm", "-f", flag)
        _delete_service(lab)
        wait_for(lambda: SHOP not in lab.on(NODE, "iptables-save"))


@contextmanager
def conntrack_timeout_short(lab: Lab) -> Iterator[None]:
    """A tuning guide shortens the time-out of established connections."""
    name = "net.netfilter.nf_conntrack_tcp_timeout_established"
    before = lab.on(NODE, "sysctl", "-n", name).strip()
    lab.on(NODE, "sysctl", "-qw", f"{name}=120")
    try:
        yield
    finally:
        lab.on(NODE, "sysctl", "-qw", f"{name}={before}")


@contextmanager
def api_endpoint_dead(lab: Lab) -> Iterator[None]:
    """default/kubernetes still lists a control plane member that is gone."""
    _apply(lab, _slice("kubernetes-old", "kubernetes", ABSENT_MEMBER, 6443, port_name="https"))
    try:
        wait_for(lambda: ABSENT_MEMBER in lab.on(NODE, "iptables-save", "-t", "nat"))
        yield
    finally:
        lab.kubectl("delete", "endpointslice", "kubernetes-old")
        wait_for(lambda: ABSENT_MEMBER not in lab.on(NODE, "iptables-save", "-t", "nat"))


def _apply(lab: Lab, *objects: dict[str, Any]) -> None:
    for one in objects:
        lab.kubectl("apply", "-f", "-", input=json.dumps(one))


def _delete_service(lab: Lab) -> None:
    """Remove the Service and its slices: nobody else removes one that was made by hand."""
    lab.kubectl("delete", "service", SHOP)
    label = f"kubernetes.io/service-name={SHOP}"
    lab.kubectl("delete", "endpointslices", "-l", label, "--ignore-not-found")


def _service(**spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SHOP},
        "spec": {"ports": ports, **spec},
    }


def _pod() -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "netlab.local/node:1",
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
        "readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": SHOP, "labels": {"app": SHOP}},
        "spec": {"containers": [container]},
    }


def _pod_address(lab: Lab) -> str:
    path = "jsonpath={.items[*].endpoints[*].addresses[0]}"
    label = f"kubernetes.io/service-name={SHOP}"
    return lab.kubectl("get", "endpointslices", "-l", label, "-o", path)


def _slice(
    name: str, service: str, address: str, port: int, *, port_name: str = "http"
) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "ports": [{"name": port_name, "protocol": "TCP", "port": port}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }


FAULTS: dict[str, tuple[str, Fault]] = {
    "stale_backend": ("SVC-02", stale_backend),
    "service_rules_missing": ("SVC-02", service_rules_missing),
    "no_ready_endpoint": ("SVC-03", no_ready_endpoint),
    "local_policy_drops": ("SVC-05", local_policy_drops),
    "conntrack_timeout_short": ("CT-06", conntrack_timeout_short),
    "hairpin_off": ("SVC-06", hairpin_off),
    "masquerade_missing": ("NF-08", masquerade_missing),
    "api_endpoint_dead": ("API-08", api_endpoint_dead),
}
"""Each fault with the ID that must be the first row while it lasts."""
