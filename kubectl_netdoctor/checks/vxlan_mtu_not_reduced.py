"""MTU-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay, pod_network
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Risk, Severity, check
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Addresses, Interface, Interfaces


@check("MTU-01", Severity.HIGH, since="0.1", explains=("MTU-03", "MTU-05", "MTU-06", "DNS-13"))
def vxlan_mtu_not_reduced(
    interfaces: Interfaces, addresses: Addresses, node: NodeInfo
) -> Iterator[Finding]:
    """The overlay's MTU leaves no room for the encapsulation.

    Meaning: the VXLAN device, or the pods behind it, may send packets that together with the 50
      bytes of VXLAN (70 over IPv6) are larger than the underlay's MTU.
    Impact: small requests work, TLS handshakes and large bodies hang between nodes.
    Diagnosis: device MTU against the MTU of the link that carries the tunnel. Cilium keeps 1500 on
      pods and lowers the route's MTU instead: devices in collect-metadata mode are not judged.
    Mitigation: let the CNI derive the MTU, or set it to the underlay's minus the overhead; pods get
      the new value when they are made again.
    Source: RFC 7348 section 5; flannel, backend vxlan.
    """
    wanted = overlay.flannel_vxlan(node)
    tunnel = interfaces.named(wanted.device) if wanted else None
    if wanted is None or tunnel is None or tunnel.vxlan is None or tunnel.vxlan.external:
        return
    parent = interfaces.indexed(tunnel.vxlan.parent) or _holder(
        wanted.public_ip, addresses, interfaces
    )
    if parent is None:
        return
    overhead = overlay.VXLAN_OVERHEAD[6 if ":" in wanted.public_ip else 4]
    limit = parent.mtu - overhead
    bridge = pod_network.pod_bridge(node, addresses, interfaces)
    ports = [p for p in bridge.ports if p.mtu > limit] if bridge else []
    if tunnel.mtu <= limit and not ports:
        return
    sums = f"{parent.name} {parent.mtu} - {overhead} VXLAN = {limit}"
    seen = [Evidence(f"{sums}; {tunnel.name} says {tunnel.mtu}")]
    if ports:
        seen.append(
            Evidence(f"{len(ports)} pods have {max(p.mtu for p in ports)}, e.g. {ports[0].name}")
        )
    yield Finding(
        title="The overlay's MTU leaves no room for VXLAN: large packets between nodes are lost",
        evidence=tuple(seen),
        fix=Fix(
            f"Set the tunnel to {limit} now; for good, take a wrong MTU out of the CNI's "
            "configuration (flannel: Backend.MTU in net-conf.json, mtu in the CNI conflist) and "
            "make the pods again.",
            (f"ip link set {tunnel.name} mtu {limit}",),
            risk=Risk.DISRUPTIVE,
            verify=f"ip -d link show {tunnel.name}",
            rollback=f"ip link set {tunnel.name} mtu {tunnel.mtu}",
        ),
    )


def _holder(address: str, addresses: Addresses, interfaces: Interfaces) -> Interface | None:
    """The link that has the tunnel's underlay address."""
    name = next((a.interface for a in addresses.items if a.address == address), "")
    return interfaces.named(name)
