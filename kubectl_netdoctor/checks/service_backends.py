"""What the API wants each Service address to lead to on one node.

Source: kubernetes, pkg/proxy/topology.go (CategorizeEndpoints); KEP-1669 (terminating endpoints),
KEP-1672 (conditions that are left out).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.checks.service_rules import Key
from kubectl_netdoctor.facts.cluster import (
    EndpointInfo,
    EndpointSliceInfo,
    EndpointSlices,
    ServiceInfo,
    ServicePort,
    Services,
)

FAMILY = {"IPv4": 4, "IPv6": 6}
LOCAL = "Local"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one ClusterIP's port should lead to.

    `backends`: as kube-proxy has to choose them where there are no topology hints; `listed`: every
    backend of that port in any EndpointSlice of the Service, ready or not.
    """

    service: str  # namespace/name
    port_name: str  # namespace/name:port
    backends: frozenset[str]
    listed: frozenset[str]
    node_port: int | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a slice with its port."""

    address: str
    ready: bool
    draining: bool  # serving while it terminates
    local: bool


SlicesOf = Mapping[tuple[str, str], list[EndpointSliceInfo]]


def by_service(slices: EndpointSlices) -> SlicesOf:
    """Slices by namespace and name of their Service; without it every look-up reads all slices."""
    found: defaultdict[tuple[str, str], list[EndpointSliceInfo]] = defaultdict(list)
    for piece in slices.items:
        if piece.service is not None:
            found[piece.namespace, piece.service].append(piece)
    return found


def proxied(service: ServiceInfo) -> bool:
    """Whether kube-proxy programs it: not headless, not ExternalName."""
    return service.type != "ExternalName" and any(_real(ip) for ip in service.cluster_ips)


def _real(address: str) -> bool:
    return address not in ("", "None")


def wanted(services: Services, slices: SlicesOf, node: str, family: int = 4) -> dict[Key, Wanted]:
    """Every ClusterIP port of one IP version with its backends, as seen from one node."""
    found: dict[Key, Wanted] = {}
    for service in services.items:
        if not proxied(service):
            continue
        addresses = [ip for ip in service.cluster_ips if _real(ip) and _family(ip) == family]
        pieces = slices.get((service.namespace, service.name), [])
        for port in service.ports if addresses else ():
            entry = _wanted(service, port, pieces, node, family)
            for address in addresses:
                found[address, port.protocol, port.port] = entry
    return found


def _wanted(
    service: ServiceInfo, port: ServicePort, pieces: list[EndpointSliceInfo], node: str, family: int
) -> Wanted:
    name = f"{service.namespace}/{service.name}"
    endpoints = list(_endpoints(pieces, port, node, family))
    return Wanted(
        service=name,
        port_name=f"{name}:{port.name}" if port.name else name,
        backends=chosen(endpoints, local_only=service.internal_traffic_policy == LOCAL),
        listed=frozenset(e.address for e in endpoints),
        node_port=port.node_port,
    )


def _endpoints(
    pieces: list[EndpointSliceInfo], port: ServicePort, node: str, family: int
) -> Iterator[Endpoint]:
    for piece in pieces:
        protocol, _, number = piece.ports.get(port.name, "").partition("/")
        if protocol != port.protocol or FAMILY.get(piece.address_type) != family:
            continue
        for endpoint in piece.endpoints:
            for address in endpoint.addresses[:1]:  # kube-proxy reads the first one only
                yield Endpoint(
                    f"{address}:{number}" if family == 4 else f"[{address}]:{number}",
                    ready=endpoint.ready is not False,
                    draining=_draining(endpoint),
                    local=endpoint.node == node,
                )


def _draining(endpoint: EndpointInfo) -> bool:
    """Whether it is used when nothing is ready."""
    return endpoint.terminating is True and endpoint.serving is not False


def chosen(endpoints: list[Endpoint], *, local_only: bool) -> frozenset[str]:
    """The ready ones, or those that drain where none is ready; of this node under policy Local."""
    usable = [e for e in endpoints if e.local] if local_only else endpoints
    ready = frozenset(e.address for e in usable if e.ready)
    return ready or frozenset(e.address for e in usable if e.draining)


def _family(address: str) -> int:
    return 6 if ":" in address else 4
