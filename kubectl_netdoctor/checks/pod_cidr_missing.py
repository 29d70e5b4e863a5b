"""RTE-03: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Severity, check, node
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.snapshot import RunInfo

YOUNG = timedelta(seconds=60)  # the controller manager allocates within seconds
MANAGER = f"{overlay.FLANNEL}/kube-subnet-manager"


@check("RTE-03", Severity.HIGH, since="0.1", explains=("CNI-01",))
def pod_cidr_missing(nodes: Nodes, run: RunInfo) -> Iterator[Finding]:
    """A node has no podCIDR, and its CNI needs one.

    Meaning: flannel takes each node's pod range from the Node's podCIDR, and this Node has none: the
      cluster range is used up, or nobody allocates.
    Impact: flannel does not start there, and no pod that needs a network does.
    Diagnosis: other nodes run flannel with the Kubernetes subnet manager. Calico, Cilium and cloud
      CNI plugins have their own allocation and need no podCIDR; virtual nodes have no pods' network.
    Mitigation: --allocate-node-cidrs and --cluster-cidr of the controller manager; a larger range,
      or remove dead Nodes that hold theirs.
    Source: flannel, troubleshooting; openshift/runbooks, V4SubnetAllocationThresholdExceeded.
    """
    if not any(n.annotations.get(MANAGER) == "true" for n in nodes.items):
        return
    given = sum(bool(n.pod_cidrs) for n in nodes.items)
    for machine in nodes.items:
        if machine.pod_cidrs or _virtual(machine) or not _old(machine, run):
            continue
        yield Finding(
            title="The node has no podCIDR: flannel cannot start",
            evidence=(
                Evidence("spec.podCIDR is empty", machine.name),
                Evidence(f"{given} of {len(nodes.items)} nodes have one"),
            ),
            subjects=(node(machine.name),),
            scope=f"on {machine.name}",
            fix=Fix(
                "Look for CIDRNotAvailable events; enlarge --cluster-cidr, or delete dead Nodes. If "
                "no node gets a range, the controller manager lacks --allocate-node-cidrs.",
                (
                    "kubectl get events -A --field-selector reason=CIDRNotAvailable",
                    "kubectl get nodes -o custom-columns=NAME:.metadata.name,CIDR:.spec.podCIDR",
                ),
                run_on="kubectl",
                verify=f"kubectl get node {machine.name} -o jsonpath='{{.spec.podCIDR}}'",
            ),
        )


def _virtual(machine: NodeInfo) -> bool:
    return (
        machine.labels.get("type") == "virtual-kubelet"
        or machine.labels.get("eks.amazonaws.com/compute-type") == "fargate"
    )


def _old(machine: NodeInfo, run: RunInfo) -> bool:
    try:
        age = datetime.fromisoformat(run.started) - datetime.fromisoformat(machine.created)
    except (ValueError, TypeError):
        return False
    return age > YOUNG
