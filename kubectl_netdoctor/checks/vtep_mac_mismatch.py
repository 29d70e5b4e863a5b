"""ENC-04: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import datapath, overlay
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.checks.overlay import FlannelVxlan
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Interface, Interfaces

_RESTART = "kubectl -n kube-system delete pod -l app=flannel --field-selector spec.nodeName="
OTHER_HOST = "rx_otherhost_dropped"  # IFLA_STATS64: frames for a MAC that is not the device's


@check(
    "ENC-04",
    Severity.CRITICAL,
    since="0.1",
    explains=(
        "ENC-05",
        "ENC-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def vtep_mac_mismatch(interfaces: Interfaces, node: NodeInfo) -> Iterator[Finding]:
    """The VXLAN device has another MAC address than the published one.

    Meaning: the CNI told all nodes to send this node's tunnel packets to one MAC address, and its
      VXLAN device has another one. What arrives is for somebody else, and the kernel drops it.
    Impact: no pod of another node reaches the pods of this one, and no answer comes back to them.
    Diagnosis: the device's own address against the node's annotation. The kernel forgets a device's
      neighbour entries when its address changes, so ENC-05 comes with it. Many neighbour entries
      with one VTEP MAC are by design and mean nothing.
    Mitigation: give the device its published address again, and keep systemd-networkd and
      NetworkManager from changing it (MACAddressPolicy=none, unmanaged-devices).
    Source: flannel-io/flannel#1155, #1788, #1795; k3s-io/k3s#9957.
    """
    wanted = overlay.flannel_vxlan(node)
    if wanted is None and datapath.carries(interfaces):
        raise Inconclusive("what Cilium's nodes send to is in BPF maps that are not read")
    link = interfaces.named(wanted.device) if wanted else None
    if wanted is None or link is None or link.vxlan is None or not link.up:
        return  # missing and down are ENC-08
    if link.address is None or link.address.lower() == wanted.mac:
        return
    yield Finding(
        title=f"{wanted.device} has another MAC than the one that peers send to",
        evidence=(
            Evidence(f"{wanted.device} has {link.address}, the annotation says {wanted.mac}"),
            *_dropped(link),
        ),
        fix=_fix(wanted, link, node.name),
    )


def _dropped(link: Interface) -> Iterator[Evidence]:
    dropped = link.deltas.get(OTHER_HOST, 0)
    if dropped:
        text = f"{dropped} packets for another MAC dropped on {link.name} in the window"
        yield Evidence(text)


def _fix(wanted: FlannelVxlan, link: Interface, name: str) -> Fix:
    policy = f"[Match]\\nOriginalName={wanted.device}\\n[Link]\\nMACAddressPolicy=none\\n"
    return Fix(
        "Give the device its published address again, restart flannel on the node (the kernel "
        "forgot the device's neighbour entries with the old address), and keep systemd-udev from "
        "choosing another one at the next boot.",
        (
            f"ip link set {wanted.device} address {wanted.mac}",
            f"{_RESTART}{name}",
            f"printf '{policy}' > /etc/systemd/network/50-{wanted.device}.link",
        ),
        verify=f"ip -br link show {wanted.device}",
        rollback=f"ip link set {wanted.device} address {link.address}",
    )
