"""Faults of DNS injected on a real cluster, each taken back when its `with` block ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.e2e.faults import KUBE_SYSTEM, NODE, Fault, dns_endpoints, rule, wait_for
from tests.lab import Lab
from tests.lab.spec import GATEWAY, RESOLVER

RELAY = Path(__file__).parent / "slow_dns.py"
RELAY_PORT = 5300
NOBODY = "198.18.0.54"  # an address of the rack's network that nobody has
WRONG_DNS = "198.19.128.99"  # a ClusterIP of no Service
CACHE = "169.254.20.10"  # where NodeLocal DNSCache would listen
RESOLV_CONF = "/etc/resolv.conf"
KUBELET = "/etc/kubernetes/kubelet.yaml"
COREDNS = ("-l", "k8s-app=kube-dns")
AAAA = "|00001c0001|"  # the name's end, QTYPE 28, QCLASS IN


@contextmanager
def file_with(lab: Lab, path: str, text: str) -> Iterator[None]:
    """A file of the node with another content."""
    kept = f"/run/{Path(path).name}.kept"
    lab.on(NODE, "cp", path, kept)
    lab.on(NODE, "sh", "-c", 'printf %s "$1" > "$2"', "sh", text, path)
    try:
        yield
    finally:
        lab.on(NODE, "sh", "-c", 'cat "$1" > "$2"; rm "$1"', "sh", kept, path)


def upstream_dead(lab: Lab) -> AbstractContextManager[None]:
    """One of the node's two resolvers is gone."""
    return file_with(lab, RESOLV_CONF, f"nameserver {RESOLVER}\nnameserver {NOBODY}\n")


def search_wildcard(lab: Lab) -> AbstractContextManager[None]:
    """DHCP hands out a search domain that has a wildcard record."""
    return file_with(lab, RESOLV_CONF, f"nameserver {RESOLVER}\nsearch corp.example.com\n")


def tcp_blocked(lab: Lab) -> AbstractContextManager[None]:
    """The host firewall allows DNS over UDP only."""
    return rule(lab, "OUTPUT", "-p", "tcp", "--dport", "53", "-j", "DROP")


def aaaa_dropped(lab: Lab) -> AbstractContextManager[None]:
    """A filter by type, as some appliances have it, takes AAAA questions."""
    match = ("-m", "string", "--algo", "bm", "--hex-string", AAAA)
    return rule(lab, "OUTPUT", "-p", "udp", "--dport", "53", *match, "-j", "DROP")


@contextmanager
def large_dropped(lab: Lab) -> Iterator[None]:
    """A firewall that knows DNS as it was before EDNS."""
    lab.on(NODE, "nft", "add", "table", "inet", "olddns")
    lab.on(NODE, "nft", "add chain inet olddns in { type filter hook input priority -5; }")
    lab.on(NODE, "nft", "add rule inet olddns in udp sport 53 udp length > 520 counter drop")
    try:
        yield
    finally:
        lab.on(NODE, "nft", "delete", "table", "inet", "olddns")


@contextmanager
def endpoint_slow(lab: Lab) -> Iterator[None]:
    """One DNS pod takes 300 ms for every answer."""
    address = dns_endpoints(lab)[0]
    home = _node_of(lab, address)
    space = _netns_of(lab, home, address)
    inside = ("ip", "netns", "exec", space)
    redirect = f"udp dport 53 redirect to :{RELAY_PORT}"
    command = f"{sys.executable} {RELAY} {RELAY_PORT} 127.0.0.1 300"
    start = f"{' '.join(inside)} setsid {command} > /dev/null 2>&1 & echo $!"
    process = lab.on(home, "sh", "-c", start).strip()
    lab.on(home, *inside, "nft", "add", "table", "ip", "slow")
    hook = "{ type nat hook prerouting priority -100; }"
    lab.on(home, *inside, "nft", f"add chain ip slow pre {hook}")
    lab.on(home, *inside, "nft", f"add rule ip slow pre {redirect}")
    try:
        yield
    finally:
        lab.on(home, *inside, "nft", "delete", "table", "ip", "slow")
        lab.on(home, "kill", process)


def _node_of(lab: Lab, address: str) -> str:
    pods = lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", *COREDNS)
    return next(
        str(p["spec"]["nodeName"]) for p in pods["items"] if p["status"].get("podIP") == address
    )


def _netns_of(lab: Lab, home: str, address: str) -> str:
    """The name of the network namespace of the pod with this address."""
    names = lab.on(home, "ls", "/run/netns").split()
    for name in names:
        shown = lab.on(home, "ip", "-n", name, "-o", "addr", "show", check=False)
        if f" {address}/" in shown:
            return name
    message = f"no namespace on {home} has {address}"
    raise LookupError(message)


@contextmanager
def search_slow(lab: Lab) -> Iterator[None]:
    """Three search domains of the node go to an upstream that takes 120 ms."""
    relay = lab.popen(sys.executable, RELAY, str(RELAY_PORT), str(RESOLVER), "120")
    zone = f"corp.test:53 {{\n    errors\n    forward . {GATEWAY}:{RELAY_PORT}\n}}\n"
    text = f"nameserver {RESOLVER}\nsearch a.corp.test b.corp.test c.corp.test\n"
    try:
        with corefile(lab, lambda now: now + zone), file_with(lab, RESOLV_CONF, text):
            yield
    finally:
        relay.kill()
        relay.communicate()


@contextmanager
def corefile(lab: Lab, change: Callable[[str], str]) -> Iterator[None]:
    """Cluster DNS with another Corefile, in pods started with it."""
    before = lab.kubectl_json(*KUBE_SYSTEM, "get", "configmap", "coredns")["data"]["Corefile"]
    _write_corefile(lab, change(before))
    try:
        yield
    finally:
        _write_corefile(lab, before)


def _write_corefile(lab: Lab, text: str) -> None:
    patch = json.dumps({"data": {"Corefile": text}})
    lab.kubectl(*KUBE_SYSTEM, "patch", "configmap", "coredns", "--type=merge", "-p", patch)
    lab.kubectl(*KUBE_SYSTEM, "delete", "pod", *COREDNS)
    lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "deployment/coredns", "--timeout=60s")
    wait_for(lambda: len(dns_endpoints(lab)) == 2)


@contextmanager
def kubelet_settings(lab: Lab, **changes: object) -> Iterator[None]:
    """The node's kubelet, started again with other settings."""
    settings = json.loads(lab.on(NODE, "cat", KUBELET))
    with file_with(lab, KUBELET, json.dumps({**settings, **changes})):
        restart_kubelet(lab)
        try:
            yield
        finally:
            lab.on(NODE, "cp", f"/run/{Path(KUBELET).name}.kept", KUBELET)
            restart_kubelet(lab)


def restart_kubelet(lab: Lab) -> None:
    """End the node's kubelet and wait for the next one."""
    lab.stop(f"kubelet@{NODE}")
    lab.start(f"kubelet@{NODE}")
    wait_for(lambda: lab.on(NODE, "curl", "-s", "127.0.0.1:10248/healthz", check=False) == "ok")


def kubelet_dns_wrong(lab: Lab) -> AbstractContextManager[None]:
    """A node was joined with another cluster's DNS address."""
    return kubelet_settings(lab, clusterDNS=[WRONG_DNS])


def node_local_dns_down(lab: Lab) -> AbstractContextManager[None]:
    """Pods are told to ask a cache on their node, and nobody is there."""
    return kubelet_settings(lab, clusterDNS=[CACHE])


@contextmanager
def forwarding_loop(lab: Lab) -> Iterator[None]:
    """The kubelet hands out systemd-resolved's stub, and a CoreDNS pod starts with it."""
    others = [n for n in lab.nodes if n != NODE]
    with file_with(lab, RESOLV_CONF, "nameserver 127.0.0.53\noptions edns0 trust-ad\n"):
        before = _dns_pods(lab)
        victim = next((p for p, node in before.items() if node == NODE), min(before))
        lab.kubectl("cordon", *others)
        lab.kubectl(*KUBE_SYSTEM, "delete", "pod", victim, "--wait=false")
        wait_for(lambda: any(n == NODE for p, n in _dns_pods(lab).items() if p not in before))
        lab.kubectl("uncordon", *others)
        (crashing,) = (p for p, n in _dns_pods(lab).items() if p not in before and n == NODE)
        wait_for(lambda: _restarts(lab, crashing) > 0)
        try:
            yield
        finally:
            lab.kubectl("uncordon", *others)
    lab.kubectl(*KUBE_SYSTEM, "delete", "pod", crashing, "--wait=false", "--force")
    lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "deployment/coredns", "--timeout=60s")


def _dns_pods(lab: Lab) -> dict[str, str | None]:
    """Nodes of the CoreDNS pods by name."""
    pods = lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", *COREDNS)["items"]
    return {p["metadata"]["name"]: p["spec"].get("nodeName") for p in pods}


def _restarts(lab: Lab, name: str) -> int:
    pod = lab.kubectl_json(*KUBE_SYSTEM, "get", "pod", name)
    return sum(int(s["restartCount"]) for s in pod["status"].get("containerStatuses") or [])


FAULTS: dict[str, tuple[str, Fault]] = {
    "dns_endpoint_slow": ("DNS-20", endpoint_slow),
    "dns_upstream_dead": ("DNS-06", upstream_dead),
    "dns_tcp_blocked": ("DNS-12", tcp_blocked),
    "dns_large_dropped": ("DNS-13", large_dropped),
    "dns_aaaa_dropped": ("DNS-15", aaaa_dropped),
    "dns_search_wildcard": ("DNS-10", search_wildcard),
    "dns_search_slow": ("DNS-01", search_slow),
    "kubelet_dns_wrong": ("DNS-19", kubelet_dns_wrong),
    "node_local_dns_down": ("DNS-11", node_local_dns_down),
    "dns_forwarding_loop": ("DNS-08", forwarding_loop),
}
"""Each fault with the ID that must be the first row while it lasts."""
