"""What a cluster's overlay is meant to be, from the annotations that its CNI plugin publishes."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass

from kubectl_netdoctor.facts.cluster import NodeInfo

FLANNEL = "flannel.alpha.coreos.com"
CALICO_VXLAN = "projectcalico.org/IPv4VXLANTunnelAddr"
CALICO_IPIP = "projectcalico.org/IPv4IPIPTunnelAddr"
CILIUM_HOST = "network.cilium.io/ipv4-cilium-host"

DEFAULT_PORT = 8472  # the Linux kernel's own VXLAN default, which flannel and Cilium keep
VXLAN_OVERHEAD = {4: 50, 6: 70}  # bytes: outer Ethernet 14 is inside, RFC 7348


@dataclass(frozen=True, slots=True)
class FlannelVxlan:
    """One node's end of a flannel VXLAN: its device, its underlay address, its VTEP MAC."""

    node: str
    device: str
    vni: int
    public_ip: str
    mac: str
    pod_cidr: str

    @property
    def address(self) -> str:
        """Address of the tunnel device: the network address of the node's podCIDR."""
        return str(ipaddress.ip_network(self.pod_cidr).network_address)


def flannel_backend(node: NodeInfo) -> str | None:
    """`vxlan`, `host-gw` …; None where the node has no flannel."""
    return node.annotations.get(f"{FLANNEL}/backend-type")


def flannel_vxlan(node: NodeInfo) -> FlannelVxlan | None:
    """The node's VXLAN end as flannel published it, None where there is none or it is unreadable."""
    if flannel_backend(node) != "vxlan":
        return None
    public = node.annotations.get(f"{FLANNEL}/public-ip")
    cidr = next((c for c in node.pod_cidrs if ":" not in c), None)
    try:
        data = json.loads(node.annotations.get(f"{FLANNEL}/backend-data") or "{}")
        vni, mac = int(data.get("VNI") or 1), str(data["VtepMAC"]).lower()
        ipaddress.ip_network(cidr or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if public is None or cidr is None:
        return None
    return FlannelVxlan(node.name, f"flannel.{vni}", vni, public, mac, cidr)


def tunnel_address(node: NodeInfo) -> str | None:
    """Address of a node's own tunnel device, which answers only through the tunnel."""
    flannel = flannel_vxlan(node)
    if flannel:
        return flannel.address
    for name in (CALICO_VXLAN, CALICO_IPIP, CILIUM_HOST):
        if name in node.annotations:
            return node.annotations[name]
    return None
