"""Names that are also numbers, devices or words of checks: findings are the same under pseudonyms."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.facts.cluster import (
    EndpointInfo,
    EndpointSliceInfo,
    EndpointSlices,
    ServiceInfo,
    ServicePort,
    Services,
)
from kubectl_netdoctor.facts.hops import place_of
from kubectl_netdoctor.facts.policy_pods import LabelledNamespace, PolicyPods
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.redaction.redact import Redaction, redact
from kubectl_netdoctor.redaction.walk import walk
from tests.unit.recorded import change_cluster, judged, recorded

DIGITS = ["0", "1", "2", "4", "10", "53", "1450", "8472"]
DEVICES = ["eth0", "cni0", "flannel", "flannel.1", "lo", "kube-ipvs0", "veth0", "bridge"]
WORDS = [
    "vxlan", "tcp", "kube", "svc", "cluster", "local", "cluster.local", "default", "drop", "accept",
    "forward", "conntrack", "all", "ipv4", "net", "running", "kubernetes", "dns", "k8s", "postrouting",
]  # fmt: skip
PARTS = ["n", "n1", "n2", "n1-a", "a", "e", "net-1", "q1", "nodeq1", "nsq2", "v1", "5s", "0x4000"]
NASTY = st.sampled_from([*DIGITS, *DEVICES, *WORDS, *PARTS])


def renamed(snapshot: Snapshot, new: dict[str, str]) -> Snapshot:
    """The snapshot as nodes of other names would have made it."""
    places = {place_of(old): place_of(name) for old, name in new.items()}
    word = re.compile(r"(?<![\w.-])(?:" + "|".join(new) + r")(?![\w-])")

    def change(_cls: type, _field: str, text: str) -> str:
        return places.get(text) or word.sub(lambda found: new[found[0]], text)

    return walk(snapshot, change)


def with_service(snapshot: Snapshot, namespace: str, name: str) -> Snapshot:
    """One more namespace with a Service in it, of which no rule was programmed."""
    port = ServicePort("http", "TCP", 80, "80", None)
    service = dataclasses.replace(
        snapshot.cluster["services"].items[0],
        namespace=namespace, name=name, cluster_ips=("198.19.128.77",), ports=(port,),
    )  # fmt: skip
    end = EndpointInfo(("198.19.1.2",), True, True, False, None, None)
    ends = EndpointSliceInfo(namespace, f"{name}-x", name, "IPv4", {"http": "TCP/80"}, (end,))
    assert isinstance(service, ServiceInfo)
    snapshot = change_cluster(snapshot, Services, lambda s: Services((*s.items, service)))
    snapshot = change_cluster(snapshot, EndpointSlices, lambda s: EndpointSlices((*s.items, ends)))
    labelled = LabelledNamespace(namespace, {"kubernetes.io/metadata.name": namespace})
    return change_cluster(
        snapshot,
        PolicyPods,
        lambda p: dataclasses.replace(p, namespaces=(*p.namespaces, labelled)),
    )


def found(snapshot: Snapshot) -> list[tuple[str, str, int]]:
    """What a report says first of each finding, but for names."""
    return [
        (r.finding.id, r.severity.value, len(r.finding.subjects)) for r in judged(snapshot).findings
    ]


@pytest.mark.parametrize("name", ["healthy", "forward_drop", "vxlan_port_blocked"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(NASTY, min_size=5, max_size=5, unique=True))
@example(["1", "0", "2", "eth0", "cni0"])
@example(["eth0", "cni0", "flannel", "1", "tcp"])
@example(["flannel.1", "vxlan", "lo", "svc", "local"])
@example(["0", "lo", "2", "flannel.1", "1"])
def test_findings_are_the_same_whatever_names_there_are(name: str, nasty: list[str]) -> None:
    """Of nodes, of a namespace and of a Service."""
    nodes = dict(zip(("n1", "n2", "n3"), nasty, strict=False))
    snapshot = with_service(renamed(recorded(name), nodes), *nasty[3:])
    assert sorted(found(redact(snapshot, Redaction(b"k" * 16)))) == sorted(found(snapshot))
