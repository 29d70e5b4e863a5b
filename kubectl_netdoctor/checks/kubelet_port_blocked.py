"""NF-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus


@check("NF-05", Severity.HIGH, since="0.1")
def kubelet_port_blocked(report: NodeReport, node: NodeInfo | None) -> Iterator[Finding]:
    """The API server cannot fetch logs from the kubelet.

    Meaning: the agent ran and its status arrived, which the kubelet pushes, but its log did not,
      which the API server fetches from the kubelet's port 10250.
    Impact: kubectl logs, exec, port-forward and metrics fail for this node; workloads are fine.
    Diagnosis: the log request's own error; a time-out is a filter, a refusal is a kubelet that is
      down, a certificate error is neither. Wrong InternalIP gives the same picture.
    Mitigation: open TCP 10250 from the control plane to the node.
    Source: Kubernetes documentation, Ports and Protocols; k0sproject/k0s#5852.
    """
    if report.status is not NodeStatus.SUMMARY:
        return
    address = node.internal_ips[0] if node and node.internal_ips else report.name
    yield Finding(
        title="The API server cannot reach the kubelet (port 10250): no logs, no exec",
        confidence=Confidence.LIKELY,
        evidence=(
            *evidence(report.reason or "the log could not be read"),
            Evidence("the agent ran to its end: its short summary arrived through the API"),
        ),
        fix=Fix(
            "Open TCP 10250 from the control plane to this node: host firewall, security group.",
            (
                "ss -ltnp 'sport = :10250'",
                "iptables -S | grep -n 10250; nft list ruleset | grep -n 10250",
                f"nc -vz -w 3 {address} 10250   # on a control plane node",
            ),
            verify=f"kubectl get --raw /api/v1/nodes/{report.name}/proxy/healthz",
        ),
    )
