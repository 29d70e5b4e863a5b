"""How pods of a node leave it: the bridge or device of its podCIDR, and the way to its peers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from kubectl_netdoctor.checks.packet import IpNetwork, network
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Addresses, Interface, Interfaces, Route, Routes

MAIN_TABLE = 254


@dataclass(frozen=True, slots=True)
class PodBridge:
    """The Linux bridge that holds the gateway address of a node's podCIDR, and its pod ports."""

    link: Interface
    ports: tuple[Interface, ...]


def pod_cidrs(node: NodeInfo, family: int = 4) -> tuple[IpNetwork, ...]:
    """The node's podCIDRs of one family."""
    nets = (network(c) for c in node.pod_cidrs)
    return tuple(n for n in nets if n is not None and n.version == family)


def pod_bridge(node: NodeInfo, addresses: Addresses, interfaces: Interfaces) -> PodBridge | None:
    """The CNI's bridge, None where pods are routed and not bridged."""
    cidrs = pod_cidrs(node)
    for address in addresses.items:
        link = interfaces.named(address.interface)
        if link is None or link.kind != "bridge" or address.family != 4:
            continue
        if any(ipaddress.ip_address(address.address) in cidr for cidr in cidrs):
            ports = tuple(
                i for i in interfaces.items if i.master == link.index and i.kind == "veth"
            )
            return PodBridge(link, ports)
    return None


def route_to(routes: Routes, destination: IpNetwork) -> Route | None:
    """The most specific route of the main table that covers the whole destination."""
    best: tuple[int, int] | None = None
    found: Route | None = None
    for route in routes.items:
        where = network(route.destination)
        if where is None or route.table != MAIN_TABLE or where.version != destination.version:
            continue
        if not destination.subnet_of(where):  # type: ignore[arg-type]  # versions are equal
            continue
        rank = (where.prefixlen, -route.metric)
        if best is None or rank > best:
            best, found = rank, route
    return found
