"""DNS-08."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import ConfigMaps, EndpointSlices, Pods
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    cluster_fact,
    findings,
    healthy,
    judged,
    outcomes,
)

STUB = ResolvConf("/etc/resolv.conf", ("127.0.0.53",), (), ("edns0", "trust-ad"))
REAL = ResolvConf("/run/systemd/resolve/resolv.conf", ("198.18.0.53",), (), ())


def handed(file: ResolvConf | Missing, node: str = "n3", own: ResolvConf = STUB) -> Snapshot:
    """The kubelet of that node hands pods this file."""
    return change_node(
        healthy(), node, Resolver, lambda r: dataclasses.replace(r, node=own, pods=file)
    )


def dns_pods(snapshot: Snapshot) -> list[Any]:
    """The recorded DNS pods."""
    pods = cluster_fact(snapshot, Pods).items
    return [p for p in pods if p.labels.get("k8s-app") == "kube-dns"]


def home() -> str:
    """A node with a DNS pod."""
    return str(dns_pods(healthy())[0].node)


def pods_are(snapshot: Snapshot, node: str, **changes: Any) -> Snapshot:
    """The DNS pods of one node with changes."""

    def change(p: Any) -> Any:
        mine = p.labels.get("k8s-app") == "kube-dns" and p.node == node
        return dataclasses.replace(p, **changes) if mine else p

    return change_cluster(snapshot, Pods, change_items(Pods, change))


CRASH = {"ready": False, "restarts": 3, "waiting": ("CrashLoopBackOff",)}


def test_a_crashing_pod_is_critical() -> None:
    """Configuration and behaviour together."""
    (found,) = findings("DNS-08", pods_are(handed(STUB, home()), home(), **CRASH))
    assert found.severity == "critical"
    assert home() in found.nodes
    assert any(s.kind == "Pod" for s in found.subjects)
    assert "nameserver 127.0.0.53" in found.evidence[0].text
    assert "/run/systemd/resolve/resolv.conf" in found.fix.commands[0]


def test_without_any_endpoint_left_it_explains_that() -> None:
    """All replicas crash: DNS-04 is the symptom."""
    looping = healthy()
    for node in ("n1", "n2", "n3"):
        looping = change_node(
            looping, node, Resolver, lambda r: dataclasses.replace(r, node=STUB, pods=STUB)
        )
        looping = pods_are(looping, node, **CRASH)

    def unready(piece: Any) -> Any:
        ends = tuple(dataclasses.replace(e, ready=False) for e in piece.endpoints)
        return dataclasses.replace(piece, endpoints=ends)

    looping = change_cluster(looping, EndpointSlices, change_items(EndpointSlices, unready))
    rows = {r.finding.id: r.caused_by for r in judged(looping).findings}
    assert rows["DNS-08"] is None
    assert rows["DNS-04"] is not None


def test_the_file_alone_is_latent() -> None:
    """The pod there has read the file as it was at its start, or there is no pod."""
    (found,) = findings("DNS-08", handed(STUB, home()))
    assert found.severity == "medium"
    assert "would" in found.title


def test_the_nodes_own_file_may_have_the_stub() -> None:
    """Kubelet's resolvConf names the real servers: kubeadm does it so."""
    assert findings("DNS-08", handed(REAL)) == []


def test_a_corefile_that_names_its_servers() -> None:
    """The kubelet's file does not matter then."""

    def other(m: object) -> object:
        text = ".:53 {\n kubernetes cluster.local\n forward . 192.0.2.53\n}"
        return dataclasses.replace(m, data={"Corefile": text})  # type: ignore[type-var]

    named = change_cluster(handed(STUB), ConfigMaps, change_items(ConfigMaps, other))
    assert findings("DNS-08", named) == []


def test_cluster_dns_on_the_host_network() -> None:
    """There the stub is the node's resolver."""
    assert findings("DNS-08", pods_are(handed(STUB, home()), home(), host_network=True)) == []


def test_an_unreadable_file_is_unknown() -> None:
    """And the healthy lab is silent."""
    gone = handed(Missing(Reason.NOT_PRESENT, "the file does not exist"))
    assert findings("DNS-08", gone) == []
    assert "Skipped" in outcomes("DNS-08", gone)
    assert findings("DNS-08", healthy()) == []
