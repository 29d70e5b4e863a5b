"""DNS-20: see the check's docstring."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    node,
)
from kubectl_netdoctor.checks.cpu_pressure import Cpus
from kubectl_netdoctor.checks.dns_cells import Seen, percentile
from kubectl_netdoctor.checks.dns_places import Cell, ClusterDns, Place, places
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.probe import DnsProbes, PathProbes
from kubectl_netdoctor.facts.system import CpuTimes, Pressure

ENOUGH = 10  # answers; a median of fewer says nothing
QUICK = 0.1  # the quantile of answers that must be slow as well
NEARLY_ALL = 0.9  # of another server's answers that must be quicker than these quick ones
STEADY = 1.5  # between the late answers and the quick ones of one server
SLOW_MS = 100.0  # of that; cluster DNS answers this question from memory, in below one
FAR_MS = 200.0  # the same of a resolver outside, which may be a continent away


@check("DNS-20", Severity.HIGH, since="0.1", explains=("DNS-01",))
def dns_server_slow(
    matrix: PerNode[DnsMatrix],
    probes: PerNode[DnsProbes] | None,
    paths: PerNode[PathProbes] | None,
    services: Services | None,
    slices: EndpointSlices | None,
    pressure: PerNode[Pressure] | None,
    times: PerNode[CpuTimes] | None,
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
      outside are not), or every server from one node (that node). Where all of it may be a wait for
      a CPU, on the asking node or the server's, the server is not blamed: a hint (low) names these
      nodes. Another server's quick answers to or from such a node speak against that, if the late ones
      are about equally late. Where nothing is known of a node's CPUs the finding stays and is no
      longer certain.
    Mitigation: give the pod CPU and drop its CPU limit, replace it, take the slow upstream out, or
      look at the node's CPU and its network.
    Source: coredns-mixin (latency alerts); kubernetes/kubernetes#33027 for CPU limits.
    """
    dns = ClusterDns.of(services, slices)
    every = dns_cells.of_all(matrix, probes)
    measured = {one.cell: one for one in every if len(one.latencies) >= ENOUGH}
    if not measured:
        raise Inconclusive("no DNS server answered often enough for a median")
    slow = {cell for cell, one in measured.items() if _slow(one, dns, paths)}
    single = {c for c in slow if measured[c].role == "endpoint"}
    # The ClusterIP leads to the endpoints: it counts only where none of them is slow.
    shown = {c for c in slow if measured[c].role != "service" or not single}
    asked = {c for c in measured if measured[c].role != "service"} | shown
    waits = Waits(Cpus(pressure, times), measured, dns)
    for place in places(shown, asked, dns.endpoints):
        yield waits.weighed(_finding(place, measured, dns), place)


@dataclass(frozen=True, slots=True)
class Waits:
    """Whether a slow answer may be a wait for a CPU, at one of its two ends."""

    cpus: Cpus
    measured: dict[Cell, Seen]
    dns: ClusterDns

    def weighed(self, finding: Finding, place: Place) -> Finding:
        """The finding, as far as lack of CPU leaves of it; one answer that it cannot explain is enough."""
        ends = [self._doubted(cell) for cell in place.cells]
        short = {n: self.cpus.shortage(n) for n in dict.fromkeys(n for e in ends for n in e)}
        seen = tuple(Evidence(text, name) for name, text in short.items() if text)
        if all(any(short[n] for n in e) for e in ends):
            return _starved(finding, tuple(e.node for e in seen if e.node), seen, place)
        if all(ends):
            unknown = ", ".join(sorted(n for n, text in short.items() if not text))
            note = Evidence(f"whether {unknown} was short of CPU is not known")
            seen = (*seen, note)
            finding = dataclasses.replace(finding, confidence=Confidence.LIKELY)
        return dataclasses.replace(finding, evidence=(*finding.evidence, *seen))

    def _doubted(self, cell: Cell) -> list[str]:
        """Ends of this way that were short of CPU, or may have been, and that nothing speaks for.

        Others in time speak for an end only where the lateness is steady: a server adds about the
        same to each answer, while a wait for a CPU ends for all that wait at once.
        """
        known = self.dns.endpoints.get(cell[1])
        ends = dict.fromkeys(n for n in (cell[0], known.node if known else None) if n)
        steady = _steady(self.measured[cell])
        return [
            n for n in ends if self._may_be_short(n) and not (steady and self._in_time(n, cell))
        ]

    def _may_be_short(self, name: str) -> bool:
        return not self.cpus.known(name) or self.cpus.shortage(name) is not None

    def _in_time(self, name: str, slow: Cell) -> bool:
        """Whether other answers to or from this node were nearly all quicker than these quick ones.

        Lack of CPU delays whoever runs there.
        """
        limit = percentile(self.measured[slow].latencies, QUICK)
        on_it = {a for a, e in self.dns.endpoints.items() if e.node == name}
        return any(
            percentile(one.latencies, NEARLY_ALL) < limit
            for (asking, server), one in self.measured.items()
            if asking == name or server in on_it
        )


def _starved(
    finding: Finding, nodes: tuple[str, ...], seen: tuple[Evidence, ...], place: Place
) -> Finding:
    """What is left for the server: late answers, and nodes that explain them."""
    names = ", ".join(nodes)
    return dataclasses.replace(
        finding,
        title=f"DNS answers come late, and {names} {'is' if len(nodes) == 1 else 'are'} short of CPU",
        severity=Severity.LOW,
        confidence=Confidence.POSSIBLE,
        evidence=(*finding.evidence, *seen),
        subjects=tuple(node(n) for n in nodes),
        scope=f"on {names}",
        paths=(),
        fix=_busy(
            "Give these nodes CPU or move work away, and scan again: a slow server stays slow.",
            place,
        ),
    )


def _steady(one: Seen) -> bool:
    """Whether late answers are about equally late."""
    values = one.latencies
    return percentile(values, NEARLY_ALL) <= STEADY * percentile(values, QUICK)


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
    for (asking, server), one in sorted(measured.items()):
        if asking in place.nodes and server not in place.servers and one.role != "service":
            yield Evidence(f"for comparison, {dns.name(server)}: {_numbers(one)}", asking)


def _fix(place: Place, cells: list[Seen], dns: ClusterDns) -> Fix:
    if place.kind == "node":
        return _busy(
            "Look at this node's CPU, its interrupts and its link: all servers are slow from here.",
            place,
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


def _busy(text: str, place: Place) -> Fix:
    return Fix(
        text,
        ("cat /proc/pressure/cpu", "mpstat -P ALL 1 3", "ip -s link show"),
        verify=f"dig @{place.servers[0]} . NS | grep 'Query time'",
    )
