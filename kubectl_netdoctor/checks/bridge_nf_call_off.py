"""NF-04: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_network
from kubectl_netdoctor.checks.base import Finding, Fix, Inconclusive, Severity, check, evidence
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Addresses, Interfaces
from kubectl_netdoctor.facts.system import Components, Sysctls

SYSCTL = "net.bridge.bridge-nf-call-iptables"


@check(
    "NF-04", Severity.HIGH, since="0.1", sysctls=(SYSCTL,), explains=("DNS-05", "DNS-21", "API-09")
)
def bridge_nf_call_off(
    sysctls: Sysctls,
    interfaces: Interfaces,
    addresses: Addresses,
    node: NodeInfo,
    components: Components | None,
) -> Iterator[Finding]:
    """Bridged pod traffic bypasses iptables.

    Meaning: bridge-nf-call-iptables is not 1, or br_netfilter is not loaded, on a node whose pods
      share a Linux bridge.
    Impact: a ClusterIP whose backend runs on the client's own node answers from the pod's address,
      and the client drops the answer. Often seen as DNS that fails only on the nodes of CoreDNS.
    Diagnosis: the value, a bridge with the podCIDR's gateway address, and pods on it. Routed CNIs
      (Calico, Cilium, cloud CNIs) have no such bridge and need nothing.
    Mitigation: load br_netfilter and set the value to 1, both kept over a reboot.
    Source: kernel documentation, networking/ip-sysctl; kubernetes/kubernetes#38802.
    """
    bridge = pod_network.pod_bridge(node, addresses, interfaces)
    if bridge is None or not bridge.ports:
        return
    value = sysctls.values.get(SYSCTL)
    absent = isinstance(value, Missing) and value.reason is Reason.NOT_PRESENT
    if not absent and not isinstance(value, str):
        raise Inconclusive(f"{SYSCTL} could not be read")
    if value == "1":
        return
    if components and "cilium-agent" in components.processes:
        return  # Services are translated at the socket, before any bridge
    seen = f"{SYSCTL} is absent: br_netfilter is not loaded" if absent else f"{SYSCTL} = {value}"
    yield Finding(
        title="Bridged pod traffic bypasses iptables: Services fail for backends on the same node",
        evidence=evidence(
            f"{seen}; needed is 1", f"bridge {bridge.link.name} has {len(bridge.ports)} pod ports"
        ),
        fix=Fix(
            "Load br_netfilter and let bridged packets pass iptables.",
            (
                "modprobe br_netfilter",
                "echo br_netfilter > /etc/modules-load.d/kubernetes.conf",
                f"sysctl -w {SYSCTL}=1",
                f"echo '{SYSCTL} = 1' > /etc/sysctl.d/99-zz-kubernetes-bridge.conf",
            ),
            verify=f"sysctl {SYSCTL}",
            rollback=f"sysctl -w {SYSCTL}=0",
        ),
    )
