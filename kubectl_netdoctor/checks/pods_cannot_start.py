"""CNI-08: see the check's docstring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay, pod_start
from kubectl_netdoctor.checks.base import Finding, Fix, Inconclusive, Severity, check, evidence
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.snapshot import RunInfo

START_UP = dt.timedelta(minutes=5)


@check("CNI-08", Severity.CRITICAL, since="0.1")
def pods_cannot_start(companions: Companions, node: NodeInfo, run: RunInfo) -> Iterator[Finding]:
    """A node cannot start pods in the pod network.

    Meaning: the run's own small pod did not start on the node: its sandbox, which is where the CNI
      plugin works, could not be made, to the end of the run.
    Impact: every new pod on this node that is not on the host's network stays in ContainerCreating.
    Diagnosis: the plugin's own words in FailedCreatePodSandBox: a missing or crashing binary, a file
      that it needs (/run/flannel/subnet.env), an API server or IPAM daemon that does not answer it.
      Where no plugin is configured at all, the node's own condition says so a little later
      (CNI-01); that no address is left is CNI-02. A node that joined less than five minutes ago and
      that its CNI has never reported is left alone.
    Mitigation: what the words ask for; mostly the CNI's DaemonSet has to run on the node again.
    Source: kubernetes/kubernetes#55550; flannel, troubleshooting.
    """
    one = pod_start.failed(companions, node.name)
    if one is None or pod_start.why(one) is pod_start.Why.NO_ADDRESS:
        return
    if pod_start.why(one) is pod_start.Why.NOT_READY and _joining(node, run):
        raise Inconclusive("the node is younger than five minutes: its network is being set up")
    yield Finding(
        title="The node cannot start pods in the pod network",
        evidence=evidence(f"a pod did not start ({one.trouble}): {pod_start.words(one)}"),
        fix=Fix(
            "The words above are those of the CNI plugin or the container runtime on this node. Look "
            "at its files and at the CNI's DaemonSet pod there.",
            (
                "ls -l /etc/cni/net.d /opt/cni/bin /run/flannel 2>/dev/null",
                f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name}",
                "journalctl -u containerd -u crio -n 50 --no-pager",
            ),
            verify=f"kubectl get events -A --field-selector reason=FailedCreatePodSandBox | grep {node.name}",
        ),
    )


def _joining(node: NodeInfo, run: RunInfo) -> bool:
    """Whether the node is new and no CNI agent has published its end of the network."""
    if overlay.tunnel_address(node) is not None:
        return False
    try:
        age = dt.datetime.fromisoformat(run.started) - dt.datetime.fromisoformat(node.created)
    except (ValueError, TypeError):
        return False
    return age < START_UP
