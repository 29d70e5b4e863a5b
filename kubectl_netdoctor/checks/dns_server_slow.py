"""DNS-20: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netdoctor.checks import dns_cells
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.checks.dns_cells import Seen, percentile
from kubectl_netdoctor.checks.dns_places import Cell, ClusterDns, Place, places
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.probe import DnsProbes, PathProbes

ENOUGH = 10  # answers; a median of fewer says nothing
QUICK = 0.1  # the quantile of answers that must be slow as well
SLOW_MS = 100.0  # of that; cluster DNS answers this question from memory, in below one
FAR_MS = 200.0  # the same of a resolver outside, which may be a continent away


@check("DNS-20", Severity.HIGH, since="0.1", explains=("DNS-01",))
def dns_server_slow(
    matrix: PerNode[DnsMatrix],
    probes: PerNode[DnsProbes] | None,
    paths: PerNode[PathProbes] | None,
    services: Services | None,
    slices: EndpointSlices | None,
) -> Iterator[Finding]:
    """A DNS server answers slowly.

    Meaning: nine in ten of its answers to one small question over UDP, one that cluster DNS answers
      from memory, take more than 100 ms (200 ms for a resolver outside the cluster), and the way to
      the server is not as slow.
    Impact: every lookup that meets this server waits as long, several times with a search list:
      connections that take 300 ms to begin, time-outs at the tail.
    Diagnosis: three quarters of the answers must be late, so that a busy moment is no finding. Each
      server is asked by its own address from every node, which shows where the milliseconds go: one
      endpoint (its pod: CPU limit, busy node), an upstream (cluster names are fast, names of the
      outside are not), or every server from one node (that node).
    Mitigation: give the pod CPU and drop its CPU limit, replace it, take the slow upstream out, or
      look at the node's CPU and its network.
    Source: coredns-mixin (latency alerts); kubernetes/kubernetes#33027 for CPU limits.
    """
    dns = ClusterDns.of(services, slices)
    measured: dict[Cell, Seen] = {}
    for name, fact in matrix.items():
        for one in dns_cells.seen(name, fact, probes.get(name) if probes else None):
            if len(one.latencies) >= ENOUGH:
                measured[name, one.server] = one
    if not measured:
        raise Inconclusive("no DNS server answered often enough for a median")
    slow = {cell for cell, one in measured.items() if _slow(one, dns, paths)}
    single = {c for c in slow if measured[c].role == "endpoint"}
    # The ClusterIP leads to the endpoints: it counts only where none of them is slow.
    shown = {c for c in slow if measured[c].role != "service" or not single}
    asked = {c for c in measured if measured[c].role != "service"} | shown
    for place in places(shown, asked, dns.endpoints):
        yield _finding(place, measured, dns)


def _slow(one: Seen, dns: ClusterDns, paths: PerNode[PathProbes] | None) -> bool:
    # A slow server is slow in its quick answers too. Where only the tail is long, somebody waited for
    # a CPU, here or there, and a second scan tells another story.
    quick = percentile(one.latencies, QUICK)
    limit = FAR_MS if one.role in dns_cells.OUTSIDE else SLOW_MS
    return quick >= limit and quick >= 2 * _way(one, dns, paths)


def _way(one: Seen, dns: ClusterDns, paths: PerNode[PathProbes] | None) -> float:
    """Milliseconds of the bare way to the server's node, 0 where it is not known."""
    known = dns.endpoints.get(one.server)
    items = paths[one.node].items if paths and one.node in paths else ()
    rtts = [ms for p in items if known and p.peer == known.node for ms in p.rtt_ms]
    return percentile(rtts, 0.5) if rtts else 0.0


def _finding(place: Place, measured: dict[Cell, Seen], dns: ClusterDns) -> Finding:
    cells = [measured[c] for c in place.cells]
    worst = max(percentile(one.latencies, 0.5) for one in cells)
    inside = any(one.role not in dns_cells.OUTSIDE for one in cells)
    who = " and ".join(dns.name(s) for s in place.servers[:2])
    title = {
        "node": "Every DNS server answers this node slowly",
        "everywhere": "DNS answers slowly everywhere",
        "group": "Every endpoint of cluster DNS answers slowly",
    }.get(place.kind, f"{_what(cells)} {who} answers slowly: {worst:.0f} ms")
    return Finding(
        title=title,
        severity=Severity.HIGH if worst >= FAR_MS and inside else Severity.MEDIUM,
        confidence=Confidence.LIKELY if place.kind == "node" else Confidence.CERTAIN,
        evidence=(
            *(Evidence(f"{dns.name(o.server)}: {_numbers(o)}", o.node) for o in cells[:6]),
            *_others(place, measured, dns),
        ),
        subjects=dns.subjects(place),
        scope=dns.scope(place),
        paths=dns.paths(place),
        fix=_fix(place, cells, dns),
    )


def _what(cells: list[Seen]) -> str:
    return {
        "endpoint": "DNS endpoint",
        "service": "Cluster DNS",
        "upstream": "Upstream resolver",
        "node-resolver": "The node's resolver",
    }.get(cells[0].role, "The pods' resolver")


def _numbers(one: Seen) -> str:
    return dns_cells.spread(one.latencies)


def _others(place: Place, measured: dict[Cell, Seen], dns: ClusterDns) -> Iterable[Evidence]:
    """What the same nodes got from the other servers: where the milliseconds do not go."""
    for (node, server), one in sorted(measured.items()):
        if node in place.nodes and server not in place.servers and one.role != "service":
            yield Evidence(f"for comparison, {dns.name(server)}: {_numbers(one)}", node)


def _fix(place: Place, cells: list[Seen], dns: ClusterDns) -> Fix:
    if place.kind == "node":
        return Fix(
            "Look at this node's CPU, its interrupts and its link: all servers are slow from here.",
            ("cat /proc/pressure/cpu", "mpstat -P ALL 1 3", "ip -s link show"),
            verify=f"dig @{place.servers[0]} . NS | grep 'Query time'",
        )
    namespace = dns.service.namespace if dns.service else "kube-system"
    known = dns.endpoints.get(place.servers[0])
    if cells[0].role in ("endpoint", "service"):
        pod = known.pod if known and known.pod and place.kind in ("server", "path") else None
        where = pod or "-l k8s-app=kube-dns"
        replace = f"delete pod {pod}" if pod else "rollout restart deployment/coredns"
        return Fix(
            "See whether the pod is short of CPU (a limit throttles it, or its node is busy); then "
            "replace it.",
            (
                f"kubectl -n {namespace} top pod {where}",
                f"kubectl -n {namespace} get pod {where} -o jsonpath='{{..resources}}'",
                f"kubectl -n {namespace} {replace}",
            ),
            verify=f"dig @{place.servers[0]} kubernetes.default.svc.cluster.local | grep 'Query time'",
            run_on="kubectl",
        )
    return Fix(
        "Ask the owner of this resolver, or take it out of the node's resolv.conf or the Corefile's "
        "forward line; until then cache longer (Corefile: cache).",
        tuple(f"dig -p {o.port} @{o.server} . NS | grep 'Query time'" for o in cells[:3]),
        verify=f"dig -p {cells[0].port} @{cells[0].server} . NS | grep 'Query time'",
    )
