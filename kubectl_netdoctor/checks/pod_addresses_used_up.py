"""CNI-02: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_start
from kubectl_netdoctor.checks.base import Finding, Fix, Severity, check, evidence
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.companion import Companions


@check("CNI-02", Severity.HIGH, since="0.1")
def pod_addresses_used_up(companions: Companions, node: NodeInfo) -> Iterator[Finding]:
    """A node has no pod address left.

    Meaning: a pod could not start because the address manager of the CNI plugin had none to give.
    Impact: new pods on this node stay in ContainerCreating; those that run are not touched.
    Diagnosis: the words of the plugin in FailedCreatePodSandBox. A /24 with the usual limit of 110
      pods should never fill: then addresses of pods that are gone were not given back.
    Mitigation: remove leaked reservations, or give the node a larger or a second range.
    Source: kubernetes/kubernetes#39557; rancher/rancher#14504.
    """
    one = pod_start.failed(companions, node.name)
    if one is None or pod_start.why(one) is not pod_start.Why.NO_ADDRESS:
        return
    ranges = ", ".join(node.pod_cidrs) or "unknown"
    yield Finding(
        title="The node has no pod address left",
        evidence=evidence(
            f"a pod did not start ({one.trouble}): {pod_start.words(one)}",
            f"podCIDR of the node: {ranges}",
        ),
        fix=Fix(
            "Compare what is reserved with the pods that run; what no pod has is leaked.",
            (
                f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name}",
                "ls /var/lib/cni/networks/*",
            ),
            verify="ls /var/lib/cni/networks/* | wc -l",
        ),
    )
