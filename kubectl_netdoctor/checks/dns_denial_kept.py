"""DNS-14: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Risk,
    Severity,
    Subject,
    check,
)
from kubectl_netdoctor.checks.dns_places import ClusterDns
from kubectl_netdoctor.facts.cluster import EndpointSlices, Services
from kubectl_netdoctor.facts.dns_records import DnsRecords

LONG = 60  # seconds; CoreDNS comes with 5, kubeadm's Corefile with 30
EXAMPLES = 4


@check("DNS-14", Severity.LOW, since="0.1")
def dns_denial_kept(
    records: PerNode[DnsRecords], services: Services, slices: EndpointSlices
) -> Iterator[Finding]:
    """A name that was asked for too early stays unknown for minutes.

    Meaning: cluster DNS lets its answer "no such name" be kept for more than a minute, for names of
      the cluster's own zone.
    Impact: whoever asks for a Service before it exists does not find it for that long, also after it
      was made: start-up loops, and tests that fail the first time only.
    Diagnosis: a name that nobody has is asked for; the answer's SOA record says for how long it may
      be kept, the caches on the way counted. The usual 5 to 30 seconds are no finding.
    Mitigation: a smaller `ttl` in the kubernetes plugin, and `denial` in the cache plugin, of the
      Corefile; for NodeLocal DNSCache, in its own.
    Source: RFC 2308 section 5; coredns, plugin/cache and plugin/kubernetes; coredns/coredns#2434.
    """
    dns = ClusterDns.of(services, slices)
    told = {
        (name, item.server): item.denied_for
        for name, fact in records.items()
        for item in fact.items
        if item.denied_for is not None
    }
    if not told:
        raise Inconclusive("no DNS server said for how long a denial may be kept")
    long = {cell: seconds for cell, seconds in told.items() if seconds > LONG}
    if not long:
        return
    namespace = dns.service.namespace if dns.service else "kube-system"
    name = dns.service.name if dns.service else "kube-dns"
    yield Finding(
        title=f"Cluster DNS keeps a name that it does not know yet for up to {max(long.values())} s",
        evidence=tuple(
            Evidence(f"{dns.name(server)}: no such name, for {seconds} s", asker)
            for (asker, server), seconds in sorted(long.items())[:EXAMPLES]
        ),
        subjects=(Subject("Service", f"{namespace}/{name}"),),
        scope="names that are asked for before they exist",
        fix=Fix(
            "In the Corefile, make `ttl` of the kubernetes plugin 30 or less, and cap denials: "
            "`cache 30 { denial 9984 5 }`.",
            (f"kubectl -n {namespace} edit configmap coredns",),
            risk=Risk.DISRUPTIVE,
            verify="dig nobody.default.svc.cluster.local. | grep SOA",
            run_on="kubectl",
        ),
    )
