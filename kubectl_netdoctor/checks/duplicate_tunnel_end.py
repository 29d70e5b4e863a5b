"""ENC-06: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    PerNode,
    Risk,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Addresses, Interfaces

_RESTART = "kubectl -n kube-system delete pod -l app=flannel --field-selector spec.nodeName="
Claim = tuple[str, str]  # what is claimed, and its value


@check(
    "ENC-06",
    Severity.CRITICAL,
    since="0.1",
    explains=(
        "ENC-01",
        "ENC-04",
        "ENC-05",
        "NIC-03",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def duplicate_tunnel_end(
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
    addresses: PerNode[Addresses] | None,
) -> Iterator[Finding]:
    """Two nodes claim the same end of the overlay, or have the same MAC address.

    Meaning: two Ready nodes published one underlay address, one VTEP MAC, one tunnel address or one
      podCIDR, or their NICs on one link have one MAC address: clones, or a wrong interface.
    Impact: packets for the one reach the other, by turns or always; pods of both are unreliable.
    Diagnosis: annotations and podCIDRs of all Ready nodes, and the MAC of the NIC that holds the
      InternalIP where both are on one subnet. An equal machine-id alone is no fault of the network,
      and a dead Node object whose successor took its address over is none either.
    Mitigation: give the clone its own identity (machine-id, DHCP lease, MAC), or choose the right
      interface for the CNI, and let the CNI make its device again.
    Source: aws/eks-anywhere#940; rancher/rancher#38999; flannel, troubleshooting (Vagrant).
    """
    claims: dict[Claim, set[str]] = defaultdict(set)
    for machine in nodes.items:
        if machine.ready:
            for claim in _published(machine):
                claims[claim].add(machine.name)
    for name, links in (interfaces or PerNode()).items():
        for claim in _hardware(nodes.named(name), links, (addresses or PerNode()).get(name)):
            claims[claim].add(name)
    by_nodes: dict[frozenset[str], list[Claim]] = defaultdict(list)
    for claim, owners in claims.items():
        if len(owners) > 1:
            by_nodes[frozenset(owners)].append(claim)
    for clones, same in sorted(by_nodes.items(), key=lambda i: sorted(i[0])):
        yield _finding(tuple(sorted(clones)), same)


def _published(machine: NodeInfo) -> Iterator[Claim]:
    """What the CNI published of a node. InternalIPs themselves are RTE-05's."""
    flannel = overlay.flannel_vxlan(machine)
    if flannel:
        yield "VTEP MAC", flannel.mac
        yield "podCIDR", flannel.pod_cidr
        if flannel.public_ip not in machine.internal_ips:
            yield "public-ip", flannel.public_ip
        return
    address = overlay.tunnel_address(machine)
    if address:
        yield "tunnel address", address


def _hardware(
    machine: NodeInfo | None, links: Interfaces, addresses: Addresses | None
) -> Iterator[Claim]:
    """MAC of the link with the InternalIP, in the name of its subnet: elsewhere it does no harm."""
    for address in addresses.items if addresses and machine else ():
        link = links.named(address.interface)
        own = machine is not None and address.address in machine.internal_ips
        if own and link and link.address and address.prefix_length < ipaddress.IPV4LENGTH:
            subnet = ipaddress.ip_interface(f"{address.address}/{address.prefix_length}").network
            yield f"MAC on {subnet}", link.address.lower()


def _finding(owners: tuple[str, ...], same: list[Claim]) -> Finding:
    kinds = " and ".join(dict.fromkeys(kind.partition(" on ")[0] for kind, _ in same))
    several = "Two nodes have" if len(owners) == 2 else f"{len(owners)} nodes have"
    return Finding(
        title=f"{several} the same {kinds}",
        evidence=tuple(Evidence(f"{kind} {value}: {', '.join(owners)}") for kind, value in same),
        subjects=tuple(node(name) for name in owners),
        scope=f"between {' and '.join(owners)}",
        fix=Fix(
            "Give one of them its own identity. A cloned machine: new machine-id, new MAC in the "
            "hypervisor, new DHCP lease, then restart the CNI's agent. A wrong interface: name the "
            "right one to the CNI (flannel --iface).",
            (
                "rm /etc/machine-id && systemd-machine-id-setup",
                "ip link del flannel.1",
                f"{_RESTART}{owners[-1]}",
            ),
            risk=Risk.DISRUPTIVE,
            verify="kubectl get nodes -o yaml | grep -E 'public-ip|VtepMAC|podCIDR:'",
        ),
    )
