"""RTE-09: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_network, tunnel_device
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
from kubectl_netdoctor.facts.link import Addresses, Interfaces
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.system import Sysctls

# Bridges and tunnels; the links of single pods would be hundreds, and Cilium forwards by eBPF.
LINKS = tuple(f"net.ipv4.conf.{p}.forwarding" for p in ("[!acdlv]*", "cni*", "vxlan*"))


@check(
    "RTE-09",
    Severity.CRITICAL,
    since="0.1",
    sysctls=("net.ipv4.ip_forward", *LINKS),
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
def ip_forward_off(
    sysctls: Sysctls,
    node: NodeInfo,
    pods: PodProbes | None,
    interfaces: Interfaces | None,
    addresses: Addresses | None,
) -> Iterator[Finding]:
    """IPv4 forwarding is off.

    Meaning: net.ipv4.ip_forward is 0 in the node's network namespace, so the kernel delivers
      packets to the node itself and drops everything that it should pass on; or it is on, and off
      for the one link that pods or the tunnel bring their packets in by.
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
    if not any("." in ip for ip in node.internal_ips):
        return
    if value == 0:
        yield _everywhere(pods)
    elif interfaces and addresses:
        for link, role in _pod_links(node, interfaces, addresses).items():
            if sysctls.number(_name(link)) == 0:
                yield _on_link(link, role)


def _pod_links(node: NodeInfo, interfaces: Interfaces, addresses: Addresses) -> dict[str, str]:
    """Links that packets of pods come in by; the kernel asks the link of arrival."""
    bridge = pod_network.pod_bridge(node, addresses, interfaces)
    tunnel = tunnel_device.of(node, interfaces)
    links = {bridge.link.name: "from its pods"} if bridge else {}
    return links | ({tunnel.name: "from other nodes to its pods"} if tunnel else {})


def _name(link: str) -> str:
    return f"net.ipv4.conf.{link.replace('.', '/')}.forwarding"


def _on_link(link: str, role: str) -> Finding:
    name = _name(link)
    return Finding(
        title=f"IPv4 forwarding is off on {link}: the node drops all traffic {role}",
        evidence=evidence(f"{name} = 0, net.ipv4.ip_forward = 1: the link's own value decides"),
        fix=Fix(
            f"Switch forwarding on for {link}. Writing net.ipv4.ip_forward sets every link, and "
            "net.ipv4.conf.default.forwarding = 0 takes it from those made later: look for it.",
            (
                f"sysctl -w {name}=1",
                "grep -rs forwarding /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d",
            ),
            verify=f"sysctl {name}",
            rollback=f"sysctl -w {name}=0",
            risk=Risk.SAFE,
        ),
    )


def _everywhere(pods: PodProbes | None) -> Finding:
    return Finding(
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
