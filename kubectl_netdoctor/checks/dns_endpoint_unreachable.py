"""DNS-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kubectl_netdoctor.checks import cluster_dns, dns_packets, packet_filter
from kubectl_netdoctor.checks.base import (
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
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

ENOUGH = 3  # queries; fewer prove nothing


@check("DNS-05", Severity.HIGH, since="0.1")
def dns_endpoint_unreachable(
    probes: PerNode[DnsProbes],
    services: Services,
    slices: EndpointSlices,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
    run: RunInfo,
    changes: ServiceChanges | None,
) -> Iterator[Finding]:
    """A cluster DNS endpoint does not answer.

    Meaning: an endpoint that the API lists as ready answered none of the queries that were sent
      straight to its address, over UDP, over TCP or both.
    Impact: with N endpoints one lookup in N stalls, for clients on the nodes that cannot reach it.
    Diagnosis: one endpoint dead from everywhere is the pod; all endpoints of one node dead is that
      node or its overlay; dead from one node only is that node. Queries through the ClusterIP hide
      it behind load balancing, so each endpoint is asked by its own address.
    Mitigation: remove the dropping rule, delete the pod, or drain the node.
    Source: kubernetes/kubernetes#45976; RFC 1035, RFC 7766.
    """
    service = cluster_dns.service(services)
    cluster_dns.settle(service, changes, run)
    ready = cluster_dns.endpoints(service, slices) if service else ()
    askers = {e.address: {n for n, p in probes.items() if _asked(p, e.address)} for e in ready}
    if not any(askers.values()):
        raise Inconclusive("cluster DNS has no ready endpoint that could be asked")
    for endpoint in ready:
        dead = dict(_dead(probes, endpoint.address))
        if not dead:
            continue
        asked = askers[endpoint.address]
        everywhere = set(dead) == asked and len(asked) > 1
        who = endpoint.pod or endpoint.address
        namespace = service.namespace if service else "kube-system"
        blamed = node(endpoint.node) if everywhere and endpoint.node else None
        subjects = (Subject("Pod", f"{namespace}/{who}"), *(node(n) for n in sorted(dead)))
        firewalls = Firewalls(iptables, nftables)
        found = list(_drops(dead, endpoint.address, endpoint.port, firewalls))
        rules = tuple(Evidence(packet_filter.counted(drop), n) for n, drop in found)
        yield Finding(
            title=f"DNS endpoint {who} ({endpoint.address}) does not answer",
            evidence=tuple(e for n, p in sorted(dead.items()) for e in _numbers(n, p)) + rules,
            subjects=(subjects[0], blamed) if blamed else subjects,
            scope=f"{who} on {endpoint.node}, from {_from(dead, asked)}",
            paths=tuple((n, endpoint.node) for n in sorted(dead) if endpoint.node),
            fix=_fix(namespace, who, [d for _, d in found]),
        )


def _asked(probes: DnsProbes, address: str) -> list[DnsProbe]:
    return [p for p in probes.items if p.role == "endpoint" and p.server == address]


def _dead(probes: PerNode[DnsProbes], address: str) -> Iterator[tuple[str, list[DnsProbe]]]:
    """Nodes from which UDP got no answer at all; TCP alone is another fault."""
    for name, fact in probes.items():
        asked = _asked(fact, address)
        udp = [p for p in asked if p.transport == "udp"]
        if udp and sum(p.sent for p in udp) >= ENOUGH and not any(p.answered for p in udp):
            yield name, asked


def _from(dead: dict[str, list[DnsProbe]], asked: set[str]) -> str:
    names = ", ".join(sorted(dead))
    return f"every node that asked ({names})" if set(dead) == asked else f"{names} only"


def _numbers(name: str, probes: list[DnsProbe]) -> Iterator[Evidence]:
    for probe in probes:
        errors = ", ".join(f"{n} {e}" for e, n in sorted(probe.errors.items()))
        text = f"{probe.transport.upper()} {probe.answered}/{probe.sent} answered by {probe.server}"
        yield Evidence(f"{text} ({errors})" if errors else text, name)


def _drops(
    dead: Collection[str], address: str, port: int, firewalls: Firewalls
) -> Iterator[tuple[str, Drop]]:
    """Rules on the asking nodes that take these very packets, out or back in."""
    for name in sorted(dead):
        drop = firewalls.first_drop(name, *dns_packets.ways(address, port, "udp"))
        if drop:
            yield name, drop


def _fix(namespace: str, pod: str, drops: list[Drop]) -> Fix:
    removals = tuple(dict.fromkeys(d.remove for d in drops if d.remove))
    if removals:
        return Fix(
            "A firewall rule on the asking node takes the queries: remove it where the firewall's "
            "own configuration has it, or now by hand:",
            removals,
            verify=f"kubectl -n {namespace} get pod {pod} -o wide",
        )
    return Fix(
        "Replace the pod; if its successor on the same node is dead too, drain that node.",
        (f"kubectl -n {namespace} delete pod {pod}",),
        verify=f"kubectl -n {namespace} get pods -l k8s-app=kube-dns -o wide",
        run_on="kubectl",
    )
