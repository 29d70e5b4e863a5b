"""The recorded lab as it would look with Cilium in the place of flannel and kube-proxy."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cilium import Cilium, CiliumNodeInfo
from kubectl_netdoctor.facts.cluster import (
    ConfigMapInfo,
    ConfigMaps,
    NetworkPolicies,
    NetworkPolicyInfo,
    Nodes,
    Pods,
    Workloads,
)
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables
from kubectl_netdoctor.facts.policy_pods import LabelledNamespace, PodGroup, PolicyPods
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.recorded import change_cluster, change_items, change_node, healthy

OLD = "2020-01-01T00:00:00Z"
LABELS = {"k8s-app": "cilium"}
NAMES = ("n1", "n2", "n3")
KUBE_SYSTEM = LabelledNamespace("kube-system", {"kubernetes.io/metadata.name": "kube-system"})


def on_cilium(**config: str) -> Snapshot:
    """A healthy cluster; `config` are keys of cilium-config, `_` for `-`."""
    data = {"kube-proxy-replacement": "true", "routing-mode": "tunnel"}
    data |= {k.replace("_", "-"): v for k, v in config.items()}
    snapshot = change_cluster(healthy(), Workloads, change_items(Workloads, _workload))
    snapshot = change_cluster(snapshot, Pods, change_items(Pods, _pod))
    snapshot = change_cluster(
        snapshot, ConfigMaps,
        lambda m: ConfigMaps((*m.items, ConfigMapInfo("kube-system", "cilium-config", data))),
    )  # fmt: skip
    snapshot = change_cluster(snapshot, Nodes, change_items(Nodes, _machine))
    for name in NAMES:
        snapshot = change_node(snapshot, name, Interfaces, _links)
        snapshot = change_node(
            snapshot, name, Iptables, lambda f: dataclasses.replace(f, nft=f.legacy)
        )
        snapshot = change_node(
            snapshot,
            name,
            Components,
            lambda c: dataclasses.replace(c, processes=("cilium-agent",)),
        )
    return with_fact(snapshot, Cilium(tuple(CiliumNodeInfo(n, (), ()) for n in NAMES), 0))


def with_fact(snapshot: Snapshot, fact: object) -> Snapshot:
    """The snapshot with one more fact of the cluster."""
    return dataclasses.replace(snapshot, cluster={**snapshot.cluster, KEYS[type(fact)]: fact})


def with_policies(
    snapshot: Snapshot, *policies: NetworkPolicyInfo, pods: int = 2, unread: tuple[str, ...] = ()
) -> Snapshot:
    """The snapshot with policies that all select the same pods."""
    group = PodGroup(policies[0].namespace, tuple(p.name for p in policies), pods)
    snapshot = change_cluster(snapshot, NetworkPolicies, lambda _: NetworkPolicies(policies))
    return with_fact(snapshot, PolicyPods((group,), (KUBE_SYSTEM,), unread))


def _workload(workload: Any) -> Any:
    """Flannel's DaemonSet is Cilium's; kube-proxy's is gone."""
    if workload.name == "kube-proxy":
        return None
    if workload.labels.get("app") == "flannel":
        return dataclasses.replace(workload, name="cilium", labels=LABELS, images=("cilium:1",))
    return workload


def _pod(pod: Any) -> Any:
    if pod.labels.get("k8s-app") == "kube-proxy":
        return None
    if pod.labels.get("app") == "flannel":
        return dataclasses.replace(
            pod, name=f"cilium-{pod.node}", labels=LABELS, owner="DaemonSet/cilium", created=OLD,
            images=("cilium:1",),
        )  # fmt: skip
    return pod


def _machine(machine: Any) -> Any:
    number = NAMES.index(machine.name)
    since = tuple(dataclasses.replace(c, since=OLD) for c in machine.conditions)
    return dataclasses.replace(
        machine, created=OLD, conditions=since,
        annotations={"network.cilium.io/ipv4-cilium-host": f"198.19.{number}.42"},
    )  # fmt: skip


def _links(links: Interfaces) -> Interfaces:
    def renamed(link: Interface) -> Interface:
        if link.name == "flannel.1":
            assert link.vxlan
            outside = dataclasses.replace(link.vxlan, external=True, parent=None, local=None)
            return dataclasses.replace(link, name="cilium_vxlan", vxlan=outside)
        if link.name == "cni0":
            return dataclasses.replace(link, name="cilium_host", kind="veth")
        return link

    return dataclasses.replace(links, items=tuple(map(renamed, links.items)))
