"""CNI-07: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import daemon_pods, datapath
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
from kubectl_netdoctor.facts.cluster import (
    ConfigMaps,
    Nodes,
    PodInfo,
    Pods,
    WorkloadInfo,
    Workloads,
)
from kubectl_netdoctor.facts.snapshot import RunInfo
from kubectl_netdoctor.facts.system import Components


@dataclass(frozen=True, slots=True)
class Agent:
    """One CNI's agent: a label of its DaemonSet, and its process on the node."""

    cni: str
    label: tuple[str, str]
    process: str


AGENTS = (
    Agent("Cilium", ("k8s-app", "cilium"), "cilium-agent"),
    Agent("flannel", ("app", "flannel"), "flanneld"),
    Agent("Calico", ("k8s-app", "calico-node"), "calico-node"),
)


@check("CNI-07", Severity.HIGH, since="0.1", explains=("CNI-01", "CNI-08"))
def network_agent_down(
    pods: Pods,
    workloads: Workloads,
    nodes: Nodes,
    run: RunInfo,
    maps: ConfigMaps | None,
    components: PerNode[Components] | None,
) -> Iterator[Finding]:
    """The network agent does not run on a node.

    Meaning: the CNI's DaemonSet has no ready pod on this node: it crashes, hangs, or was never made
      for this node.
    Impact: what runs keeps its network for a while. New pods get none there, and what changes in the
      cluster (nodes, endpoints, policies; with Cilium in kube-proxy's place Services too) does not
      arrive, so packets go to addresses that are gone.
    Diagnosis: the DaemonSet's pods, and on nodes that were scanned the agent's process, which is
      believed before the API. Roll-outs, pods younger than a minute and nodes that just joined are
      left alone.
    Mitigation: read the pod's log; where there is no pod, compare selectors and taints with the node.
    Source: Cilium, troubleshooting; flannel, troubleshooting; Kubernetes documentation, DaemonSet.
    """
    for agent in AGENTS:
        daemon = next((w for w in workloads.items if _is(w, agent)), None)
        if daemon is None or daemon.desired == 0:
            continue
        by_node = _pods_of(daemon, pods)
        for lack in daemon_pods.lacks(daemon, by_node, nodes, daemon_pods.time(run.started)):
            seen = components.get(lack.machine.name) if components else None
            if not lack.pods and not by_node:
                continue  # pods that are not seen at all are not missing on a node
            if seen and agent.process in seen.processes and not _waiting(lack):
                continue  # it runs, whatever the API says
            yield _finding(agent, daemon, lack, seen, datapath.cilium(workloads, maps))


def _is(workload: WorkloadInfo, agent: Agent) -> bool:
    key, value = agent.label
    return workload.kind == "DaemonSet" and workload.labels.get(key) == value


def _pods_of(daemon: WorkloadInfo, pods: Pods) -> dict[str, list[PodInfo]]:
    found: dict[str, list[PodInfo]] = {}
    for pod in pods.items:
        own = pod.namespace == daemon.namespace and pod.owner == f"DaemonSet/{daemon.name}"
        if own and pod.node:
            found.setdefault(pod.node, []).append(pod)
    return found


def _waiting(lack: Lack) -> bool:
    """Whether a container waits for its next start: a process may be seen for a moment between."""
    return any(p.waiting for p in lack.pods)


def _finding(
    agent: Agent,
    daemon: WorkloadInfo,
    lack: Lack,
    seen: Components | None,
    cilium: datapath.Cilium | None,
) -> Finding:
    name = lack.machine.name
    gone = seen is not None and agent.process not in seen.processes
    services = agent.cni == "Cilium" and cilium is not None and cilium.replaces_kube_proxy
    frozen = "pod network and Services" if services else "the pod network"
    return Finding(
        title=f"{agent.cni}'s agent does not run: {frozen} frozen on this node",
        confidence=Confidence.CERTAIN if gone else Confidence.LIKELY,
        evidence=(
            *lack.evidence(agent.cni),
            *((Evidence(f"no {agent.process} process on the node", name),) if gone else ()),
            *(
                (Evidence("it replaces kube-proxy: nothing else keeps Services"),)
                if services
                else ()
            ),
        ),
        subjects=(node(name),),
        scope=f"on {name}",
        fix=_fix(daemon, lack),
    )


def _fix(daemon: WorkloadInfo, lack: Lack) -> Fix:
    name, where = lack.machine.name, f"kubectl -n {daemon.namespace}"
    if lack.pods:
        pod = lack.pods[0].name
        text = "Read why the pod is not ready, then let the DaemonSet make it again."
        commands: tuple[str, ...] = (
            f"{where} logs {pod} --all-containers --tail=50",
            f"{where} logs {pod} --all-containers --previous --tail=50",
            f"{where} delete pod {pod}",
        )
    else:
        text = "The DaemonSet makes no pod for this node: compare its selectors with the node."
        commands = (
            f"{where} describe daemonset {daemon.name}",
            f"kubectl describe node {name}",
            f"{where} get events --field-selector involvedObject.kind=DaemonSet",
        )
    return Fix(
        text,
        commands,
        verify=f"{where} get pods -o wide --field-selector spec.nodeName={name}",
        run_on="kubectl",
    )
