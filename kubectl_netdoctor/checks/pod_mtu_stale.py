"""MTU-05: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_network, tunnel_device
from kubectl_netdoctor.checks.base import Finding, Fix, Severity, check, evidence
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.pod_namespaces import PodNamespace, PodNamespaces

EXAMPLES = 6


@check("MTU-05", Severity.LOW, since="0.1")
def pod_mtu_stale(pods: PodNamespaces, interfaces: Interfaces, node: NodeInfo) -> Iterator[Finding]:
    """Pods keep an MTU that the overlay no longer has.

    Meaning: the way out of a pod allows larger packets than the tunnel device of its node: the MTU
      was lowered after the pod was made, and pods keep theirs until they are made again.
    Impact: these pods alone depend on ICMP "fragmentation needed" for every large packet to another
      node; where something filters it, TLS handshakes and large bodies hang for them, while new pods
      work.
    Diagnosis: the MTU of the pod's default route, as its own kernel takes it, so that a smaller MTU
      of a route counts (Cilium). Tunnel devices in collect-metadata mode are not compared. A smaller
      MTU is somebody's intention and no fault.
    Mitigation: make the pods again (roll their workloads); the node needs nothing.
    Source: flannel, Documentation/troubleshooting.md.
    """
    tunnel = tunnel_device.of(node, interfaces)
    if tunnel is None or tunnel.vxlan is None or tunnel.vxlan.external or not tunnel.up:
        return
    own = [p for p in pods.items if _of_node(p, node)]
    large = [p for p in own if p.mtu is not None and p.mtu > tunnel.mtu]
    if not large:
        return
    yield Finding(
        title=f"{len(large)} of {len(own)} pods have a larger MTU than the overlay",
        evidence=evidence(
            f"{tunnel.name} says {tunnel.mtu}",
            *(
                f"pod {p.name or p.addresses[0]} ({p.addresses[0]}): {p.mtu}"
                for p in large[:EXAMPLES]
            ),
            f"{len(own) - len(large)} pods of this node have {tunnel.mtu} or less",
        ),
        scope=f"these pods on {node.name}",
        fix=Fix(
            "Make these pods again: they get the CNI's present MTU. If new pods get the old one as "
            "well, the CNI's configuration has it.",
            (
                f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name}",
                *(f"kubectl delete pod {p.name}   # in its namespace" for p in large[:3] if p.name),
            ),
            verify="kubectl exec POD -- cat /sys/class/net/eth0/mtu",
            run_on="kubectl",
        ),
    )


def _of_node(pod: PodNamespace, node: NodeInfo) -> bool:
    """Whether it is a pod of the cluster's network, not another container's namespace."""
    cidrs = [*pod_network.pod_cidrs(node), *pod_network.pod_cidrs(node, 6)]
    return any(ipaddress.ip_address(a) in cidr for a in pod.addresses for cidr in cidrs)
