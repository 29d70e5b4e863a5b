"""SVC-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import daemon_pods
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.checks.daemon_pods import Lack
from kubectl_netdoctor.facts.cluster import Nodes, PodInfo, Pods, WorkloadInfo, Workloads
from kubectl_netdoctor.facts.netfilter import Iptables, IptablesRuleset
from kubectl_netdoctor.facts.snapshot import RunInfo
from kubectl_netdoctor.facts.system import Components

# Processes that program Services: kube-proxy, its replacements, and what embeds it.
KEEPERS = frozenset(
    ("kube-proxy", "kubelite", "kube-router", "cilium-agent", "calico-node", "calico-felix",
     "k0s", "k3s-server", "k3s-agent", "rke2", "ovnkube", "kube-ovn-daemon")
)  # fmt: skip


@check("SVC-01", Severity.CRITICAL, since="0.1", explains=("SVC-02", "API-01", "DNS-21", "API-09"))
def kube_proxy_not_running(
    pods: Pods,
    workloads: Workloads,
    nodes: Nodes,
    run: RunInfo,
    components: PerNode[Components] | None,
    iptables: PerNode[Iptables] | None,
) -> Iterator[Finding]:
    """kube-proxy does not run on a node.

    Meaning: the cluster runs kube-proxy as a DaemonSet, and this node has no ready pod of it; or the
      node still has kube-proxy's rules, and nothing runs that could keep them.
    Impact: Services that exist keep working for a while; new or changed ones do not, and requests go
      to pods that are gone. The older the outage, the worse.
    Diagnosis: the DaemonSet's pods, and on nodes that were scanned its process and health port
      10256. Clusters that replace kube-proxy (Cilium, k3s, kube-router) have no such DaemonSet and
      a proxy of their own, and stay silent, as do roll-outs in progress, pods younger than a minute and nodes that just
      joined.
    Mitigation: find out why the DaemonSet has no pod there (selector, affinity, taints, crash).
    Source: Kubernetes documentation, kube-proxy reference; kubernetes/kubernetes#104303.
    """
    daemon = next((w for w in workloads.items if _is_kube_proxy(w)), None)
    if daemon is None or daemon.desired == 0:
        yield from _abandoned(components or PerNode(), iptables or PerNode())
        return
    by_node: dict[str, list[PodInfo]] = {}
    for pod in pods.items:
        if (
            pod.labels.get("k8s-app") == "kube-proxy"
            and pod.namespace == daemon.namespace
            and pod.node
        ):
            by_node.setdefault(pod.node, []).append(pod)
    for lack in daemon_pods.lacks(daemon, by_node, nodes, daemon_pods.time(run.started)):
        machine = lack.machine
        seen = components.get(machine.name) if components else None
        if seen and ("kube-proxy" in seen.processes or seen.kube_proxy_healthz == 200):
            continue  # it runs, whatever the API says
        yield Finding(
            title="kube-proxy does not run: Services on this node are frozen",
            confidence=Confidence.CERTAIN if seen else Confidence.LIKELY,
            evidence=tuple(_evidence(lack, seen)),
            subjects=(node(machine.name),),
            scope=f"Services as seen from {machine.name}",
            fix=_fix(daemon, lack),
        )


def _abandoned(components: PerNode[Components], iptables: PerNode[Iptables]) -> Iterator[Finding]:
    """Nodes with kube-proxy's rules and without anything that keeps Service rules."""
    for name, seen in sorted(components.items()):
        fact = iptables.get(name)
        rulesets = (fact.legacy, fact.nft) if fact else ()
        chains = [
            r.chain("nat", "KUBE-SERVICES") for r in rulesets if isinstance(r, IptablesRuleset)
        ]
        rules = sum(len(c.rules) for c in chains if c)
        if not rules or seen.kube_proxy_healthz is not None or set(seen.processes) & KEEPERS:
            continue
        yield Finding(
            title="Nothing keeps kube-proxy's rules: Services on this node are frozen",
            confidence=Confidence.LIKELY,
            evidence=(
                Evidence(f"{rules} rules in KUBE-SERVICES, and no Service proxy runs", name),
                Evidence("no node wants a kube-proxy pod: no DaemonSet, or one that fits no node"),
            ),
            subjects=(node(name),),
            scope=f"Services as seen from {name}",
            fix=Fix(
                "Bring kube-proxy back, or finish the move to its replacement: start that, then "
                "remove the old rules with kube-proxy --cleanup.",
                (
                    "kubectl -n kube-system get daemonsets -l k8s-app=kube-proxy -o wide",
                    "kubectl -n kube-system get pods -o wide",
                ),
                verify="kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide",
                run_on="kubectl",
            ),
        )


def _is_kube_proxy(workload: WorkloadInfo) -> bool:
    return workload.kind == "DaemonSet" and (
        workload.name == "kube-proxy" or workload.labels.get("k8s-app") == "kube-proxy"
    )


def _evidence(lack: Lack, seen: Components | None) -> Iterator[Evidence]:
    yield from lack.evidence("kube-proxy")
    if seen:
        health = seen.kube_proxy_healthz
        port = "nothing answers on port 10256" if health is None else f"port 10256 says {health}"
        yield Evidence(f"no kube-proxy process on the node; {port}", lack.machine.name)


def _fix(daemon: WorkloadInfo, lack: Lack) -> Fix:
    machine, own = lack.machine, lack.pods
    where = f"kubectl -n {daemon.namespace}"
    if own:
        commands: tuple[str, ...] = (
            f"{where} logs {own[0].name} --tail=50",
            f"{where} delete pod {own[0].name}",
        )
        text = "Read why the pod is not ready, then let the DaemonSet make it again."
    else:
        commands = (
            f"{where} describe daemonset {daemon.name}",
            f"{where} get daemonset {daemon.name} -o jsonpath='{{.spec.template.spec}}'",
            f"kubectl describe node {machine.name}",
            f"{where} rollout restart daemonset {daemon.name}",
        )
        text = "The DaemonSet makes no pod for this node: compare its selectors with the node."
    return Fix(
        text,
        commands,
        verify=f"{where} get pods -l k8s-app=kube-proxy --field-selector spec.nodeName={machine.name}",
        run_on="kubectl",
    )
