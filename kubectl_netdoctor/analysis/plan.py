"""Which facts the selected checks need from each node, and whom each node probes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_netdoctor.analysis import dns_questions
from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.facts.base import FACTS, KEYS, SCHEMA_VERSION, Scope
from kubectl_netdoctor.facts.cluster import (
    ConfigMaps,
    EndpointSlices,
    Services,
)
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.plan import DnsTarget, ExternalTarget, PeerTarget, Plan, TcpTarget

MAX_DNS_ENDPOINTS = 16


def facts_for(checks: Iterable[Check]) -> tuple[str, ...]:
    """Wire keys of all node facts that the checks name, needed or optional."""
    keys = {
        KEYS[need.type]
        for check in checks
        for need in check.needs.values()
        if need.type in KEYS and FACTS[KEYS[need.type]].scope is Scope.NODE
    }
    return tuple(sorted(keys))


def sysctls_for(checks: Iterable[Check]) -> tuple[str, ...]:
    """Kernel parameters that the checks read."""
    return tuple(sorted({name for check in checks for name in check.sysctls}))


def plan_for(
    node: str,
    checks: Iterable[Check],
    cluster: Mapping[str, Any],
    *,
    run: str,
    window: float,
    deadline: float,
    peers: tuple[PeerTarget, ...] = (),
    targets: tuple[ExternalTarget, ...] = (),
    probe_timeout: float = 1.0,
    keep_packets: int = 0,
) -> Plan:
    """One node's plan from what the API says; without a cluster, only the node itself.

    `peers` are those of analysis.mesh.
    """
    checks = tuple(checks)
    facts = facts_for(checks)
    if keep_packets and KEYS[Hops] not in facts:
        facts = tuple(sorted((*facts, KEYS[Hops])))  # it is the one that listens
    return Plan(
        schema=SCHEMA_VERSION,
        run=run,
        node=node,
        facts=facts,
        sysctls=sysctls_for(checks),
        window_seconds=window,
        deadline_seconds=deadline,
        probe_timeout_seconds=probe_timeout,
        peers=peers,
        targets=targets,
        tcp=api_targets(cluster),
        dns=dns_targets(cluster),
        node_resolvers=True,
        dns_zone=dns_questions.dns_zone(cluster),
        dns_large=dns_questions.dns_large(cluster),
        dns_names=dns_questions.dns_names(cluster, node),
        keep_packets=keep_packets,
    )


def api_targets(cluster: Mapping[str, Any]) -> tuple[TcpTarget, ...]:
    """The API server's own endpoints, and the ClusterIP in front of them."""
    slices, services = cluster.get(KEYS[EndpointSlices]), cluster.get(KEYS[Services])
    targets: list[TcpTarget] = []
    if isinstance(slices, EndpointSlices):
        for piece in slices.of("default", "kubernetes"):
            ports = [int(p.rpartition("/")[2]) for p in piece.ports.values() if p.startswith("TCP")]
            targets += [
                TcpTarget("api-server", address, port)
                for endpoint in piece.endpoints
                for address in endpoint.addresses
                for port in ports
            ]
    service = services.named("default", "kubernetes") if isinstance(services, Services) else None
    if service:
        targets += [
            TcpTarget("api-service", ip, port.port)
            for ip in service.cluster_ips
            for port in service.ports
        ]
    return tuple(dict.fromkeys(targets))


def dns_targets(cluster: Mapping[str, Any]) -> tuple[DnsTarget, ...]:
    """Cluster DNS by ClusterIP and by endpoint, and every address that the Corefile forwards to."""
    services, slices = cluster.get(KEYS[Services]), cluster.get(KEYS[EndpointSlices])
    maps = cluster.get(KEYS[ConfigMaps])
    maps = maps if isinstance(maps, ConfigMaps) else None
    if not isinstance(services, Services) or not isinstance(slices, EndpointSlices):
        return ()
    service = cluster_dns.service(services)
    if service is None:
        return ()
    question = f"kubernetes.default.svc.{cluster_dns.domain(maps)}."
    targets = [DnsTarget("service", ip, 53, question, "A") for ip in service.cluster_ips]
    endpoints = cluster_dns.endpoints(service, slices)[:MAX_DNS_ENDPOINTS]
    targets += [DnsTarget("endpoint", e.address, e.port, question, "A") for e in endpoints]
    targets += [
        DnsTarget("upstream", ip, port, ".", "NS") for ip, port in cluster_dns.upstreams(maps)
    ]
    return tuple(dict.fromkeys(targets))
