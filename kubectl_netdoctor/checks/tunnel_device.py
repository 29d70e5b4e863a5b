"""The VXLAN device of the cluster's own CNI, among others that a node may have."""

from __future__ import annotations

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Interface, Interfaces

# Devices of CNI plugins other than flannel, which have one name on every node.
NAMES = ("vxlan.calico", "cilium_vxlan", "antrea-tun0")


def of(machine: NodeInfo, links: Interfaces) -> Interface | None:
    """The device, None where there is none."""
    flannel = overlay.flannel_vxlan(machine)
    names = (flannel.device,) if flannel else NAMES
    return next((i for n in names if (i := links.named(n)) and i.vxlan), None)
