"""Where a fault between nodes and DNS servers sits: a node, a server, everywhere, or one path."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.checks.base import CLUSTER, Subject, node
from kubectl_netdoctor.checks.cluster_dns import DnsEndpoint
from kubectl_netdoctor.facts.cluster import EndpointSlices, ServiceInfo, Services

Cell = tuple[str, str]
"""Node that asked, address of the server."""


@dataclass(frozen=True, slots=True)
class Place:
    """One culprit with the cells that it accounts for."""

    kind: str  # everywhere, node, group (all endpoints of cluster DNS), server, path
    cells: tuple[Cell, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes that asked."""
        return tuple(dict.fromkeys(n for n, _ in self.cells))

    @property
    def servers(self) -> tuple[str, ...]:
        """Servers that were asked."""
        return tuple(dict.fromkeys(s for _, s in self.cells))


def places(
    bad: Collection[Cell], asked: Collection[Cell], group: Collection[str] = ()
) -> Iterator[Place]:
    """Split bad cells into culprits; when all is bad, nobody is named.

    A node is one when all of its two or more servers are bad, the group when all of its two or more
    servers are, a server when all of the two or more nodes that asked it found it bad.
    """
    rest = set(bad)
    nodes, servers = {n for n, _ in asked}, {s for _, s in asked}
    if rest and rest == set(asked) and len(nodes) > 1 and len(servers) > 1:
        yield Place("everywhere", tuple(sorted(rest)))
        return
    lines = [("node", {c for c in asked if c[0] == n}) for n in sorted(nodes)]
    if len(servers & set(group)) > 1:
        lines.append(("group", {c for c in asked if c[1] in group}))
    lines += [("server", {c for c in asked if c[1] == s}) for s in sorted(servers)]
    for kind, line in lines:
        if len(line) > 1 and line <= set(bad) and line & rest:
            yield Place(kind, tuple(sorted(line & rest)))
            rest -= line
    for server in sorted({s for _, s in rest}):
        yield Place("path", tuple(sorted(c for c in rest if c[1] == server)))


@dataclass(frozen=True, slots=True)
class ClusterDns:
    """Cluster DNS as the API has it, for naming servers; empty where the API said nothing."""

    service: ServiceInfo | None = None
    endpoints: dict[str, DnsEndpoint] = field(default_factory=dict)

    @classmethod
    def of(cls, services: Services | None, slices: EndpointSlices | None) -> ClusterDns:
        """From the API's objects."""
        service = cluster_dns.service(services) if services else None
        ready = cluster_dns.endpoints(service, slices) if service and slices else ()
        return cls(service, {e.address: e for e in ready})

    def name(self, server: str) -> str:
        """How people know a server."""
        known = self.endpoints.get(server)
        if known and known.pod:
            return f"{known.pod} ({server})"
        if self.service and server in self.service.cluster_ips:
            return f"{self.service.name} ({server})"
        return server

    def subjects(self, place: Place) -> tuple[Subject, ...]:
        """What a finding at that place is about."""
        if place.kind == "node":
            return tuple(node(n) for n in place.nodes)
        if place.kind == "everywhere":
            inside = self.service and all(s in self.endpoints for s in place.servers)
            return (self._service,) if inside else (CLUSTER,)
        asking = tuple(node(n) for n in place.nodes)
        if place.kind == "group":  # from one node, that node may be the cause as well
            return (self._service, *asking) if len(asking) == 1 else (self._service,)
        known = self.endpoints.get(place.servers[0])
        if known is None or known.pod is None or self.service is None:
            return asking
        pod = Subject("Pod", f"{self.service.namespace}/{known.pod}")
        home = (node(known.node),) if known.node else ()
        return (pod, *(home if place.kind == "server" else asking))

    @property
    def _service(self) -> Subject:
        found = self.service
        return Subject("Service", f"{found.namespace}/{found.name}") if found else CLUSTER

    def paths(self, place: Place) -> tuple[tuple[str, str], ...]:
        """Directed pairs of nodes, as far as a server runs on one."""
        homes = {a: e.node for a, e in self.endpoints.items() if e.node}
        return tuple(dict.fromkeys((n, homes[s]) for n, s in place.cells if s in homes))

    def scope(self, place: Place) -> str:
        """The place in words."""
        names = ", ".join(self.name(s) for s in place.servers)
        asking = ", ".join(place.nodes)
        if place.kind == "everywhere":
            return "from every node, every server"
        if place.kind == "group":
            return f"every endpoint of cluster DNS ({names}), from {asking}"
        if place.kind == "node":
            return f"{asking}: every server ({names})"
        if place.kind == "server":
            return f"{names}, from every node that asked ({asking})"
        return f"{names}, from {asking}"
