"""CNI-01: see the check's docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Severity, check, node
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.snapshot import RunInfo

WORDS = re.compile(
    r"cni plugin not initialized|network plugin is not ready|NetworkPluginNotReady"
    r"|no CNI configuration",
    re.IGNORECASE,
)
JOINING = timedelta(minutes=5)  # a node that just joined has no network yet
SETTLED = timedelta(seconds=60)


@check("CNI-01", Severity.CRITICAL, since="0.1", explains=("CNI-08",))
def network_plugin_not_ready(nodes: Nodes, run: RunInfo) -> Iterator[Finding]:
    """The network plugin of a node is not initialised.

    Meaning: the kubelet says that its container runtime has no CNI configuration, so it starts no
      pod that needs a network.
    Impact: the node is NotReady; pods hang in ContainerCreating.
    Diagnosis: the Ready condition's own message. Nodes younger than 5 minutes, and conditions
      younger than a minute, are left alone: the CNI writes its configuration after the node joined.
    Mitigation: see why the CNI's pod on this node does not run or does not write its file.
    Source: kubernetes/kubeadm#1031; containerd/containerd#8419; rancher/rke2#4476.
    """
    now = _time(run.started)
    for machine in nodes.items:
        ready = machine.condition("Ready")
        if ready is None or ready.status == "True" or not WORDS.search(ready.message):
            continue
        if not _settled(machine, ready.since, now):
            continue
        yield Finding(
            title="The network plugin is not initialised: no pod can start",
            evidence=(Evidence(f"since {ready.since}: {ready.message}", machine.name),),
            subjects=(node(machine.name),),
            scope=f"on {machine.name}",
            fix=Fix(
                "Find out why the CNI's pod on this node does not run; it writes the configuration "
                "when it starts.",
                (
                    "ls -l /etc/cni/net.d /opt/cni/bin",
                    f"kubectl get pods -A -o wide --field-selector spec.nodeName={machine.name}",
                    "systemctl restart containerd   # if the file is there and not read",
                ),
                verify=f"kubectl get node {machine.name}",
            ),
        )


def _settled(machine: NodeInfo, since: str, now: datetime | None) -> bool:
    """Whether the state has lasted longer than a node takes to join."""
    created, changed = _time(machine.created), _time(since)
    if now is None or created is None or changed is None:
        return False
    return now - created > JOINING and now - changed > SETTLED


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
