"""Where cluster DNS is: its Service, its endpoints, its zone and its upstreams."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks.base import Inconclusive
from kubectl_netdoctor.checks.service_age import ages
from kubectl_netdoctor.facts.cluster import ConfigMaps, EndpointSlices, ServiceInfo, Services
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

NAMES = ("kube-dns", "coredns", "rke2-coredns-rke2-coredns", "dns-default")
NAMESPACES = ("kube-system", "openshift-dns")
CONFIG_MAPS = (
    ("kube-system", "coredns"),
    ("kube-system", "rke2-coredns-rke2-coredns"),
    ("openshift-dns", "dns-default"),
)


@dataclass(frozen=True, slots=True)
class DnsEndpoint:
    """One ready DNS pod as the EndpointSlice lists it."""

    address: str
    port: int
    node: str | None
    pod: str | None


def service(services: Services) -> ServiceInfo | None:
    """The Service of cluster DNS: labelled k8s-app=kube-dns, or known by its name."""
    candidates = [
        s
        for s in services.items
        if s.namespace in NAMESPACES
        and any(i not in ("", "None") for i in s.cluster_ips)
        and (s.labels.get("k8s-app") == "kube-dns" or s.name in NAMES)
        and any(p.port == 53 for p in s.ports)
    ]
    return min(candidates, key=lambda s: (s.name != "kube-dns", s.name), default=None)


def endpoints(found: ServiceInfo, slices: EndpointSlices) -> tuple[DnsEndpoint, ...]:
    """Ready endpoints of the DNS Service, each address once."""
    seen: dict[str, DnsEndpoint] = {}
    for piece in slices.of(found.namespace, found.name):
        udp = [p for p in piece.ports.values() if p.startswith("UDP/")]
        port = int(udp[0].partition("/")[2]) if udp else 53
        for endpoint in piece.endpoints:
            if endpoint.ready is False:
                continue
            for address in endpoint.addresses:
                seen.setdefault(address, DnsEndpoint(address, port, endpoint.node, endpoint.pod))
    return tuple(seen[a] for a in sorted(seen))


def settle(found: ServiceInfo | None, changes: ServiceChanges | None, run: RunInfo) -> None:
    """Raise Inconclusive where endpoints of cluster DNS came or went during the run.

    A pod that is being replaced answers the first questions and not the last ones.
    """
    if not found or not changes:
        return
    if ages(changes, run).moving(f"{found.namespace}/{found.name}"):
        raise Inconclusive("endpoints of cluster DNS came or went during this run")


def has_address_record(service: ServiceInfo) -> bool:
    """Whether its name has an A record of its own: it has an IPv4 ClusterIP."""
    return service.type != "ExternalName" and any("." in ip for ip in service.cluster_ips)


def name_of(service: ServiceInfo, zone: str) -> str:
    """The name of a Service in DNS."""
    return f"{service.name}.{service.namespace}.svc.{zone}."


def corefile(maps: ConfigMaps | None) -> str:
    """The Corefile, empty where there is none."""
    for namespace, name in CONFIG_MAPS:
        found = maps.named(namespace, name) if maps else None
        if found and "Corefile" in found.data:
            return found.data["Corefile"]
    return ""


def domain(maps: ConfigMaps | None) -> str:
    """The cluster's zone: first zone of the kubernetes plugin, else cluster.local."""
    found = re.search(r"^\s*kubernetes\s+([A-Za-z0-9.-]+)", corefile(maps), re.MULTILINE)
    return found[1].rstrip(".") if found else "cluster.local"


def forwards(maps: ConfigMaps | None) -> tuple[str, ...]:
    """Targets of every `forward` line for the root zone: addresses, or a file such as resolv.conf."""
    lines = re.findall(r"^\s*forward\s+\.\s+([^{\n]+)", corefile(maps), re.MULTILINE)
    return tuple(dict.fromkeys(t for line in lines for t in line.split()))


def upstreams(maps: ConfigMaps | None) -> tuple[tuple[str, int], ...]:
    """Plain DNS upstreams named by address, with their ports. DNS over TLS is left out."""
    return tuple(_addresses(forwards(maps)))


def _addresses(targets: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for target in targets:
        bare = target.removeprefix("dns://")
        if bare.startswith("[") and "]" in bare:
            host, _, port = bare[1:].partition("]")
            port = port.removeprefix(":")
        elif bare.count(":") == 1:
            host, _, port = bare.partition(":")
        else:
            host, port = bare, ""
        try:
            yield str(ipaddress.ip_address(host)), int(port or 53)
        except ValueError:
            continue  # a file, a name, or another scheme


def uses_node_resolvers(maps: ConfigMaps | None) -> bool:
    """Whether DNS forwards to the resolv.conf that the kubelet gave its pod."""
    return any(t.startswith("/") for t in forwards(maps))
