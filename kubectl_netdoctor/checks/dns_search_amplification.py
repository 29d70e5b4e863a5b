"""DNS-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import Finding, Fix, Inconclusive, Severity, check, evidence
from kubectl_netdoctor.checks.dns_cells import percentile
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix, SearchCost, SearchDomain
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver

TIMES, EXTRA_MS = 3.0, 50.0  # dearer than the same name with a trailing dot, both at once
ENOUGH = 2  # walks


@check("DNS-01", Severity.MEDIUM, since="0.1")
def dns_search_amplification(matrix: DnsMatrix, resolver: Resolver | None) -> Iterator[Finding]:
    """The search list makes names of the outside slow.

    Meaning: a name of the outside, looked up as a pod does it, took at least three times as long and
      50 ms longer than the same kind of name with a trailing dot.
    Impact: every connection to the outside begins that much later, and the resolvers get a multiple
      of the queries.
    Diagnosis: ndots:5 with the three domains of the cluster is what every cluster has, and CoreDNS
      answers these from memory; what costs is a search domain of the node, which goes upstream. Where
      cluster DNS is slow for its own domains, the list is not the cause (DNS-20). Each walk uses
      names that no cache knows.
    Mitigation: take the node's search domains out of the kubelet's resolv.conf; ndots 2 in the
      workload's dnsConfig; a trailing dot; NodeLocal DNSCache.
    Source: kubernetes/kubernetes#33554, #14051; Kubernetes, Customizing DNS Service.
    """
    search = matrix.search
    if isinstance(search, Missing):
        raise Inconclusive(f"the search list was not walked: {search.detail}")
    if min(len(search.relative_ms), len(search.absolute_ms)) < ENOUGH:
        raise Inconclusive(f"too few walks through the search list ended: {_errors(search)}")
    own = [ms for d in search.domains if not d.of_node for ms in d.rtt_ms]
    if own and percentile(own, 0.5) >= EXTRA_MS:
        raise Inconclusive("cluster DNS is slow for its own domains too: it is not the list")
    # The fastest walk against the usual name: one late packet is no pattern.
    walk, alone = min(search.relative_ms), percentile(search.absolute_ms, 0.5)
    if walk < TIMES * alone or walk - alone < EXTRA_MS:
        return
    foreign = [d for d in search.domains if d.of_node and d.rtt_ms]
    if sum(percentile(d.rtt_ms, 0.5) for d in foreign) < EXTRA_MS:
        return
    file = resolver.pods if resolver else None
    path = file.path if isinstance(file, ResolvConf) else "/etc/resolv.conf"
    yield Finding(
        title=f"The search list makes names of the outside {walk / max(alone, 0.1):.0f} times slower",
        evidence=evidence(
            f"one name: {search.queries} queries, {walk:.0f} ms at best; with a trailing dot "
            f"2 queries, {alone:.0f} ms (median of {len(search.absolute_ms)})",
            *(_cost(d) for d in search.domains if d.rtt_ms),
        ),
        fix=_fix(path, foreign),
    )


def _errors(search: SearchCost) -> str:
    return ", ".join(f"{n} {e}" for e, n in sorted(search.errors.items())) or "none was made"


def _cost(domain: SearchDomain) -> str:
    whose = f"of the {'node' if domain.of_node else 'cluster'}"
    return f"{domain.domain} ({whose}): median {percentile(domain.rtt_ms, 0.5):.0f} ms"


def _fix(path: str, foreign: list[SearchDomain]) -> Fix:
    return Fix(
        f"Take {', '.join(d.domain for d in foreign)} out of the search list of {path}, or give the "
        "kubelet a file without (resolvConf); per workload: dnsConfig with ndots 2, or a trailing dot.",
        (f"grep -n search {path}",),
        verify="time getent ahosts example.org; time getent ahosts example.org.",
    )
