"""RTE-14: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_network
from kubectl_netdoctor.checks.base import Finding, Fix, Severity, check, evidence
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Addresses, Interfaces


@check(
    "RTE-14",
    Severity.CRITICAL,
    since="0.1",
    explains=(
        "DNS-05",
        "DNS-21",
        "DNS-22",
        "API-09",
        "RTE-01",
        "RTE-02",
        "RTE-13",
        "SVC-02",
        "SVC-04",
    ),
)
def pod_bridge_down(
    node: NodeInfo, addresses: Addresses, interfaces: Interfaces
) -> Iterator[Finding]:
    """The bridge that the pods of a node are attached to is down.

    Meaning: the bridge with the gateway address of the node's podCIDR has ports of pods and is
      administratively down; the route to the node's own pods went with it.
    Impact: pods of this node reach nobody, not even each other, and nobody reaches them; the node
      itself looks healthy.
    Diagnosis: the link's flags. The bridge CNI plugin sets it up again when the next pod starts, so
      the fault may end by itself; no companion is started on such a node.
    Mitigation: set it up; look for a network manager that takes links which it does not know down.
    Source: containernetworking/plugins, bridge; systemd-networkd and NetworkManager on unmanaged links.
    """
    bridge = pod_network.pod_bridge(node, addresses, interfaces)
    if bridge is None or not bridge.ports or bridge.link.up:
        return
    name = bridge.link.name
    yield Finding(
        title=f"{name}, the bridge of the node's pods, is down",
        evidence=evidence(f"{name} is down; ports of pods on it: {len(bridge.ports)}"),
        fix=Fix(
            "Set it up, and keep network managers from touching it.",
            (
                f"ip link set {name} up",
                "networkctl status --no-pager",
                "nmcli -f DEVICE,STATE device",
            ),
            verify=f"ip -br link show {name}; ip route show dev {name}",
            rollback=f"ip link set {name} down",
        ),
    )
