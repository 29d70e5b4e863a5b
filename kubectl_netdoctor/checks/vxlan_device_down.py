"""ENC-08: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Risk, Severity, check
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Interfaces


@check(
    "ENC-08",
    Severity.CRITICAL,
    since="0.1",
    explains=(
        "RTE-01",
        "ENC-01",
        "ENC-05",
        "NF-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def vxlan_device_down(interfaces: Interfaces, node: NodeInfo) -> Iterator[Finding]:
    """The VXLAN device is missing, down or bound to another address.

    Meaning: the CNI published a VXLAN end for this node, and the device that should carry it is not
      there, not up, or sends from another underlay address than the published one.
    Impact: pods of this node are cut off from the pods of all other nodes.
    Diagnosis: judged by the CNI's own annotation, so that clusters without a tunnel stay silent. An
      operational state of UNKNOWN is normal for VXLAN.
    Mitigation: bring it up; its routes are gone with it, so restart the CNI's agent after that.
    Source: flannel, backends; ip-link(8).
    """
    wanted = overlay.flannel_vxlan(node)
    if wanted is None:
        return
    link = interfaces.named(wanted.device)
    restart = f"kubectl -n kube-system delete pod -l app=flannel --field-selector spec.nodeName={node.name}"
    if link is None or link.vxlan is None:
        problem, seen = "missing", f"no device {wanted.device}, published for {wanted.public_ip}"
        commands: tuple[str, ...] = (restart,)
    elif not link.up:
        problem, seen = "down", f"{wanted.device} is not UP (state {link.operstate})"
        commands = (f"ip link set {wanted.device} up", restart)
    elif link.vxlan.local not in (None, wanted.public_ip):
        problem = "bound to the wrong address"
        seen = f"{wanted.device} sends from {link.vxlan.local}, published is {wanted.public_ip}"
        commands = (f"ip link del {wanted.device}", restart)
    else:
        return
    yield Finding(
        title=f"The VXLAN device {wanted.device} is {problem}: pods are cut off from other nodes",
        evidence=(Evidence(seen),),
        fix=Fix(
            "Bring the device back and restart the CNI's agent, which restores routes, neighbours "
            "and forwarding entries.",
            commands,
            risk=Risk.DISRUPTIVE if problem.startswith("bound") else Risk.SAFE,
            verify=f"ip -d link show {wanted.device}; ip route show dev {wanted.device}",
        ),
    )
