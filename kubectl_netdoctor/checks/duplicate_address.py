"""RTE-07: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Address, Addresses


@check(
    "RTE-07",
    Severity.CRITICAL,
    since="0.1",
    explains=("NIC-03", "ENC-01", "DNS-05", "NF-05", "API-01", "API-08"),
)
def duplicate_address(addresses: PerNode[Addresses], nodes: Nodes) -> Iterator[Finding]:
    """One address is on two nodes.

    Meaning: two nodes hold one IPv4 address on the link that they share, or a node holds the
      InternalIP of another one: a copied configuration, or a virtual address whose keepers
      (keepalived, kube-vip) do not hear each other.
    Impact: whoever answers ARP last gets the packets; connections break by turns.
    Diagnosis: only links that hold the node's InternalIP, and nodes in one subnet, count. Addresses
      on lo, on dummy devices and on bridges of their own, such as 172.17.0.1, are equal by design.
      Foreign machines with such an address are not seen.
    Mitigation: take the address away on the node that should not have it.
    Source: RFC 5227; kube-vip/kube-vip#996, #1385; kubernetes/kubernetes#97125.
    """
    holders: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name, fact in addresses.items():
        machine = nodes.named(name)
        for subnet, held in _shared_link(machine, fact) if machine else ():
            holders[subnet, held.address][name] = held.interface
    internal = [(n.name, ip) for n in nodes.items if n.ready for ip in n.internal_ips]
    for (subnet, address), names in sorted(holders.items()):
        owners = [name for name, ip in internal if ip == address]  # also those not scanned
        for name in owners:
            names.setdefault(name, "its InternalIP")
        if len(names) > 1 and len(owners) < 2:  # two InternalIPs are RTE-05
            yield _finding(subnet, address, names, owners)


def _shared_link(machine: NodeInfo, fact: Addresses) -> Iterator[tuple[str, Address]]:
    """Addresses of the link that holds the InternalIP, with the subnet that it is in."""
    for own in fact.items:
        if own.address not in machine.internal_ips or own.family != 4:
            continue
        subnet = ipaddress.ip_interface(f"{own.address}/{own.prefix_length}").network
        for other in fact.items:
            local = ipaddress.ip_address(other.address).is_link_local
            if other.interface == own.interface and other.family == 4 and not local:
                yield str(subnet), other


def _finding(subnet: str, address: str, names: dict[str, str], owners: list[str]) -> Finding:
    wrong = [n for n in sorted(names) if n not in owners]
    link = next(names[n] for n in wrong)
    return Finding(
        title=f"The address {address} is on {len(names)} nodes",
        evidence=tuple(
            Evidence(f"{address} on {where} ({subnet})", name)
            for name, where in sorted(names.items())
        ),
        subjects=tuple(node(n) for n in wrong),
        scope=f"between {' and '.join(sorted(names))}",
        fix=Fix(
            "Take the address away on the node that should not have it; for a virtual address, let "
            "its keepers hear each other (same virtual router, VRRP not filtered).",
            (f"ip address del {address} dev {link}",),
            verify=f"arping -D -c 3 -I {link} {address}",
        ),
    )
