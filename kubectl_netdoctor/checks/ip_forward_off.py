"""RTE-09: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Finding,
    Fix,
    Inconclusive,
    Risk,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.system import Sysctls


@check(
    "RTE-09",
    Severity.CRITICAL,
    since="0.1",
    sysctls=("net.ipv4.ip_forward",),
    explains=(
        "NF-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
        "TGT-01",
    ),
)
def ip_forward_off(sysctls: Sysctls, node: NodeInfo, pods: PodProbes | None) -> Iterator[Finding]:
    """IPv4 forwarding is off.

    Meaning: net.ipv4.ip_forward is 0 in the node's network namespace, so the kernel delivers
      packets to the node itself and drops everything that it should pass on.
    Impact: pods of this node reach neither other nodes nor the outside, and nobody reaches them;
      the node itself looks healthy.
    Diagnosis: read the value; look for a file in /etc/sysctl.d or a hardening script (CIS) that
      sets it to 0, and for a network restart that re-applied it.
    Mitigation: set it to 1 and keep it in a file that is read late.
    Source: kernel documentation, networking/ip-sysctl.
    """
    value = sysctls.number("net.ipv4.ip_forward")
    if value is None:
        raise Inconclusive("net.ipv4.ip_forward could not be read")
    # A node without IPv4 addresses needs no IPv4 forwarding.
    if value != 0 or not any("." in ip for ip in node.internal_ips):
        return
    yield Finding(
        title="IPv4 forwarding is off: the node drops all traffic from and to its pods",
        evidence=evidence("net.ipv4.ip_forward = 0, pods need 1", *_repaired(pods)),
        fix=Fix(
            "Switch forwarding on, and keep it on after a reboot.",
            (
                "sysctl -w net.ipv4.ip_forward=1",
                "echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/99-zz-kubernetes.conf",
                "grep -rs ip_forward /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d",
            ),
            verify="sysctl net.ipv4.ip_forward",
            rollback="sysctl -w net.ipv4.ip_forward=0",
            risk=Risk.SAFE,
        ),
    )


def _repaired(pods: PodProbes | None) -> Iterator[str]:
    """Whether the value is another one by now: whoever looks after the scan should know why."""
    if pods and pods.forwarding_after == "1":
        yield (
            "it is 1 again: the CNI plugin switched it on when a pod was started during this scan, "
            "and whatever set it to 0 may do so again"
        )
