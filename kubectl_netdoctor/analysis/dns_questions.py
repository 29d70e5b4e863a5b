"""What to ask cluster DNS beside one address: its zone, and the name with the largest answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cluster import ConfigMaps, EndpointSlices, Services

NAMES = 16  # that one node asks for
_RECORD_BYTES = 18  # an SRV record without its names, RFC 1035 and RFC 2782
_LABEL_BYTES = 12  # what an endpoint's own name is longer than its Service's


def dns_zone(cluster: Mapping[str, Any]) -> str:
    """The cluster's zone, empty without a cluster."""
    if not isinstance(cluster.get(KEYS[Services]), Services):
        return ""
    maps = cluster.get(KEYS[ConfigMaps])
    return cluster_dns.domain(maps if isinstance(maps, ConfigMaps) else None)


def dns_large(cluster: Mapping[str, Any]) -> str:
    """The name whose SRV answer is the largest, empty where there is none.

    A Service has an SRV record for each named port, a headless one for each port of each endpoint.
    """
    services, slices = cluster.get(KEYS[Services]), cluster.get(KEYS[EndpointSlices])
    if not isinstance(services, Services) or not isinstance(slices, EndpointSlices):
        return ""
    zone = dns_zone(cluster)
    sizes = dict(_sizes(services, slices, zone))
    return max(sizes, key=lambda name: (sizes[name], name), default="")


def dns_names(cluster: Mapping[str, Any], node: str) -> tuple[str, ...]:
    """Names of some Services with a ClusterIP: other ones from each node where there are many."""
    services = cluster.get(KEYS[Services])
    if not isinstance(services, Services):
        return ()
    zone = dns_zone(cluster)
    names = [
        cluster_dns.name_of(s, zone) for s in services.items if cluster_dns.has_address_record(s)
    ]
    return tuple(sorted(names, key=lambda n: _place(node, n))[:NAMES])


def _place(node: str, name: str) -> str:
    return hashlib.sha256(f"{node} {name}".encode()).hexdigest()


def _sizes(services: Services, slices: EndpointSlices, zone: str) -> Iterator[tuple[str, int]]:
    """Bytes of SRV records by name, estimated."""
    ends: dict[tuple[str, str | None], int] = {}
    for piece in slices.items:
        named = sum(bool(port) for port in piece.ports)
        ready = sum(len(e.addresses) for e in piece.endpoints if e.ready is not False)
        key = (piece.namespace, piece.service)
        ends[key] = ends.get(key, 0) + named * ready
    for service in services.items:
        name = f"{service.name}.{service.namespace}.svc.{zone}."
        if any(ip not in ("", "None") for ip in service.cluster_ips):
            count, length = sum(bool(p.name) for p in service.ports), len(name)
        else:
            count = ends.get((service.namespace, service.name), 0)
            length = len(name) + _LABEL_BYTES
        if count:
            yield name, count * (2 * length + _RECORD_BYTES)
