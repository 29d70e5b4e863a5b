"""DNS-18: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kubectl_netdoctor.checks import cluster_dns, service_age
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    Subject,
    check,
    node,
)
from kubectl_netdoctor.checks.dns_places import ClusterDns
from kubectl_netdoctor.checks.service_age import SETTLED
from kubectl_netdoctor.facts.cluster import ConfigMaps, EndpointSlices, PodInfo, Pods, Services
from kubectl_netdoctor.facts.dns_records import DnsRecords, DnsZone
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

MARGIN = SETTLED.total_seconds()  # between two servers' clocks and watches
CLOCKS = 10.0  # seconds between the API server's clock and that of a server's node
EXAMPLES = 4
OTHER_ANSWERS = ("namespaces", "labels", "namespace_labels", "rewrite", "template", "hosts")
"""Words of a Corefile with which CoreDNS may rightly deny or change the name of a Service."""


@dataclass(frozen=True, slots=True)
class Server:
    """One DNS pod: how new its view is, by the answer of whoever got the newest."""

    address: str
    serial: int | None
    kept: int
    born: float | None  # Unix seconds; None where its pod is not known, or was restarted since
    wrong: tuple[tuple[str, str], ...]  # a node, and what it got for a Service's name

    @property
    def seen(self) -> float | None:
        """When it last saw a change, which its own start does not explain."""
        if self.serial is None or self.born is None or self.serial <= self.born + MARGIN:
            return None
        return float(self.serial)


@check("DNS-18", Severity.HIGH, since="0.1")
def dns_view_stale(
    records: PerNode[DnsRecords],
    services: Services,
    slices: EndpointSlices,
    pods: Pods,
    changes: ServiceChanges,
    run: RunInfo,
    maps: ConfigMaps | None,
) -> Iterator[Finding]:
    """A cluster DNS pod no longer follows the API.

    Meaning: one DNS pod has not seen changes of Services or endpoints that another one has seen more
      than a minute ago, or it denies Services that exist, or gives addresses that they no longer
      have: it has lost its watch of the API server, or never had one.
    Impact: new Services are unknown and deleted ones are still answered, for every lookup that meets
      this pod; when it is restarted it does not get ready at all.
    Diagnosis: CoreDNS writes the time of the last change that it saw into its zone's serial; the
      servers are compared with each other, as far as none was started since, and only where the API
      has a write of that time: a reloaded Corefile begins a new serial too. Some Services' names are
      asked of each server, and compared with what the API has had for more than a minute, longer than
      an answer is kept. Corefiles that may hide names are known, and names are not judged then.
    Mitigation: repair the way from that pod to the API server (often its node's Service rules or
      firewall), then delete the pod.
    Source: coredns, plugin/kubernetes (serial, ready); kelseyhightower/kubernetes-the-hard-way#25.
    """
    dns = ClusterDns.of(services, slices)
    started = service_age.time(run.started)
    if started is None or "kubernetes" not in cluster_dns.corefile(maps):
        raise Inconclusive("cluster DNS is not known to be CoreDNS with its kubernetes plugin")
    wanted = _wanted(services, service_age.ages(changes, run), maps)
    servers = [
        _server(address, _of(address, records), pods, dns, wanted) for address in dns.endpoints
    ]
    if not any(s.serial is not None or s.wrong for s in servers):
        raise Inconclusive("no DNS pod told the serial of its zone")
    followers = [s for s in servers if _follows(s, changes)]
    for server in servers:
        ahead = _ahead(server, followers, started.timestamp())
        if ahead or server.wrong:
            yield _finding(server, ahead, dns)


def _of(address: str, records: PerNode[DnsRecords]) -> list[tuple[str, DnsZone]]:
    return [
        (name, item)
        for name, fact in sorted(records.items())
        for item in fact.items
        if item.server == address and item.role == "endpoint"
    ]


def _wanted(
    services: Services, known: service_age.Ages, maps: ConfigMaps | None
) -> dict[str, frozenset[str]]:
    """The IPv4 addresses that each settled Service's name must have; none where they may differ."""
    words = cluster_dns.corefile(maps).split()
    if any(word in words for word in OTHER_ANSWERS):
        return {}
    zone = cluster_dns.domain(maps)
    return {
        cluster_dns.name_of(s, zone): frozenset(ip for ip in s.cluster_ips if "." in ip)
        for s in services.items
        if cluster_dns.has_address_record(s) and known.settled(f"{s.namespace}/{s.name}")
    }


def _server(
    address: str,
    seen: list[tuple[str, DnsZone]],
    pods: Pods,
    dns: ClusterDns,
    wanted: Mapping[str, frozenset[str]],
) -> Server:
    name = dns.endpoints[address].pod
    pod = next((p for p in pods.items if name and p.name == name), None)
    wrong = [
        (asker, _difference(one.name, one.addresses or (one.rcode,), wanted[one.name]))
        for asker, item in seen
        for one in item.names
        if one.name in wanted
        and one.rcode in ("NOERROR", "NXDOMAIN")
        and not wanted[one.name] & set(one.addresses)
    ]
    # A server that answers no name at all rightly is not stale: it has another fault, or zone.
    rightly = any(
        wanted.get(n.name, frozenset()) & set(n.addresses) for _, item in seen for n in item.names
    )
    return Server(
        address=address,
        serial=max((i.serial for _, i in seen if i.serial is not None), default=None),
        kept=max((i.kept for _, i in seen if i.kept is not None), default=0),
        born=_born(pod),
        wrong=tuple(wrong) if rightly else (),
    )


def _difference(name: str, got: Iterable[str], wanted: Iterable[str]) -> str:
    return f"{name} is {' '.join(got)}, the API has {' '.join(sorted(wanted))}"


def _born(pod: PodInfo | None) -> float | None:
    """When its containers were started, as far as that can be told."""
    created = service_age.time(pod.created) if pod and not pod.restarts else None
    return created.timestamp() if created else None


def _follows(server: Server, changes: ServiceChanges) -> bool:
    """Whether the last change that it saw is a write that the API knows of."""
    times = (service_age.time(item.written) for item in changes.items if item.written)
    seen = server.seen
    return seen is not None and any(t and abs(t.timestamp() - seen) <= CLOCKS for t in times)


def _ahead(server: Server, servers: list[Server], started: float) -> Server | None:
    """Another server that saw a change which this one had time to see, and did not."""
    if server.serial is None or server.born is None:
        return None
    kept = MARGIN + server.kept
    for other in servers:
        if other.seen is None or other is server:
            continue
        lived_then = server.born + MARGIN < other.seen
        if lived_then and server.serial + kept < other.seen < started - kept:
            return other
    return None


def _finding(server: Server, ahead: Server | None, dns: ClusterDns) -> Finding:
    end = dns.endpoints[server.address]
    namespace = dns.service.namespace if dns.service else "kube-system"
    pod = end.pod or end.address
    seen = []
    if ahead and ahead.serial and server.serial:
        seen = [
            Evidence(f"{pod} last saw a change at {_clock(server.serial)}"),
            Evidence(f"{dns.name(ahead.address)} saw one at {_clock(ahead.serial)}"),
        ]
    return Finding(
        title=f"Cluster DNS pod {pod} no longer follows the API",
        confidence=Confidence.CERTAIN if ahead and server.wrong else Confidence.LIKELY,
        evidence=(*seen, *(Evidence(text, asker) for asker, text in server.wrong[:EXAMPLES])),
        subjects=(
            Subject("Pod", f"{namespace}/{pod}"),
            *((node(end.node),) if end.node else ()),
        ),
        scope=f"lookups that meet {pod}",
        fix=Fix(
            "See whether this pod reaches the API server, repair that way, and delete the pod.",
            (
                f"kubectl -n {namespace} logs {pod} --tail=50 | grep -i -e watch -e 'failed to list'",
                f"kubectl -n {namespace} delete pod {pod}",
            ),
            verify=f"dig @{server.address} -p {end.port} SOA cluster.local +short",
            run_on="kubectl",
        ),
    )


def _clock(serial: int) -> str:
    return datetime.fromtimestamp(serial, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
