"""DNS-03: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    Subject,
    check,
    node,
)
from kubectl_netdoctor.checks.cluster_dns import DnsEndpoint
from kubectl_netdoctor.checks.dns_cells import percentile, spread
from kubectl_netdoctor.checks.dns_places import ClusterDns
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_cpu import DnsCpu, DnsCpus
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.probe import DnsProbes

PERIODS = 5  # in which it ran; fewer prove nothing
SHARE = 0.25  # of them, throttled: the alert's own value
ENOUGH = 10  # answers
LATE_MS = 20.0  # of the 95th percentile: an answer from memory takes less than one
LOST = 0.05  # of the queries; who is throttled for seconds does not answer at all


@dataclass(frozen=True, slots=True)
class Answers:
    """What all nodes got from one server, over UDP."""

    milliseconds: tuple[float, ...]
    sent: int

    @property
    def late(self) -> bool:
        """Whether clients notice."""
        if self.sent < ENOUGH:
            return False
        lost = self.sent - len(self.milliseconds)
        tail = percentile(self.milliseconds, 0.95) if self.milliseconds else LATE_MS
        return tail >= LATE_MS or lost > LOST * self.sent


@check(
    "DNS-03",
    Severity.HIGH,
    since="0.1",
    explains=("DNS-01", "DNS-05", "DNS-12", "DNS-13", "DNS-15", "DNS-20", "DNS-22"),
)
def dns_throttled(
    cpus: PerNode[DnsCpus],
    probes: PerNode[DnsProbes],
    matrix: PerNode[DnsMatrix] | None,
    services: Services,
    slices: EndpointSlices,
) -> Iterator[Finding]:
    """A pod of cluster DNS is throttled by its CPU limit.

    Meaning: in a quarter or more of the periods in which it ran, its container had used up its CPU
      quota and had to wait for the next one, and its answers are late.
    Impact: lookups that meet this pod take tens of milliseconds up to the whole period, or time out,
      while the node has CPU to spare.
    Diagnosis: nr_throttled and nr_periods of the container's cpu.stat inside the window, together
      with the times of the answers: throttling that no client notices is no finding. The probes are a
      load of their own, of about 200 queries per second and scanned node.
    Mitigation: remove limits.cpu from cluster DNS and keep the request; more replicas, or NodeLocal
      DNSCache, spread the load.
    Source: kubernetes-mixin, CPUThrottlingHigh (25 %); kubernetes/kubernetes#33027.
    """
    dns = ClusterDns.of(services, slices)
    for name, fact in sorted(cpus.items()):
        for cpu in fact.items:
            end = _endpoint(cpu, name, dns)
            if end is None or cpu.periods < PERIODS or cpu.throttled < SHARE * cpu.periods:
                continue
            answers = _answers(end.address, probes, matrix)
            if answers.late:
                yield _finding(cpu, end, answers, dns)


def _endpoint(cpu: DnsCpu, here: str, dns: ClusterDns) -> DnsEndpoint | None:
    """The endpoint that this process is: by its pod's name, or as the only one of its node."""
    local = [e for e in dns.endpoints.values() if e.node == here]
    named = [e for e in local if e.pod == cpu.host_name]
    if named:
        return named[0]
    return local[0] if len(local) == 1 and cpu.host_name in ("", here) else None


def _answers(
    address: str, probes: PerNode[DnsProbes], matrix: PerNode[DnsMatrix] | None
) -> Answers:
    times: list[float] = []
    sent = 0
    for probed in probes.values():
        for probe in probed.items:
            if probe.server == address and probe.transport == "udp":
                times += probe.rtt_ms
                sent += probe.sent
    for asked in (matrix or {}).values():
        for cell in asked.items:
            if cell.server == address and cell.transport == "udp" and cell.payload is None:
                times += cell.rtt_ms
                sent += cell.sent
    return Answers(tuple(times), sent)


def _finding(cpu: DnsCpu, end: DnsEndpoint, answers: Answers, dns: ClusterDns) -> Finding:
    namespace = dns.service.namespace if dns.service else "kube-system"
    pod = end.pod or end.address
    limit = f", limit {cpu.limit:g} CPUs" if cpu.limit is not None else ""
    times = spread(answers.milliseconds) if answers.milliseconds else "no answer"
    return Finding(
        title=f"Cluster DNS pod {pod} is throttled by its CPU limit",
        confidence=Confidence.LIKELY,
        evidence=(
            Evidence(
                f"throttled in {cpu.throttled} of {cpu.periods} periods, "
                f"{cpu.throttled_ms:.0f} ms in all{limit}",
                end.node,
            ),
            Evidence(f"answers: {times}; {len(answers.milliseconds)}/{answers.sent} came"),
        ),
        subjects=(
            Subject("Pod", f"{namespace}/{pod}"),
            *((node(end.node),) if end.node else ()),
        ),
        scope=f"lookups that meet {pod}",
        fix=Fix(
            "Remove limits.cpu from cluster DNS and keep the request (where a Deployment manages it: "
            "its container may be called otherwise).",
            (
                f"kubectl -n {namespace} get pod {pod} -o jsonpath='{{..resources}}'",
                f"kubectl -n {namespace} set resources deployment/coredns --limits=cpu=0",
            ),
            verify=f"kubectl -n {namespace} top pod {pod}",
            run_on="kubectl",
        ),
    )
