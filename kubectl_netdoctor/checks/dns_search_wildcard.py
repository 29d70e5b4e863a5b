"""DNS-10: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix, SearchCost, SearchDomain
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver

ENOUGH = 2  # labels that nobody chose, and all of them resolve


@check("DNS-10", Severity.HIGH, since="0.1", explains=("DNS-01",))
def dns_search_wildcard(matrix: DnsMatrix, resolver: Resolver | None) -> Iterator[Finding]:
    """A wildcard record in a search domain of the node captures names of the outside.

    Meaning: labels that nobody has chosen resolve below a search domain that pods inherit from the
      node's resolv.conf.
    Impact: pods try a name with fewer than 5 dots in the search domains first, so names of the
      outside resolve to the wildcard's address: TLS name mismatches, requests to the wrong server.
      The node itself is fine, because its ndots is 1.
    Diagnosis: random labels are asked below each of the node's search domains. A resolver that
      invents an address for every name gives one for a name below `invalid.` too; that is not this.
    Mitigation: take the search domain out of the kubelet's resolv.conf, or remove the wildcard;
      until then ndots 1 for the workload, or names with a trailing dot.
    Source: openshift/origin#17316; kubernetes/kubernetes#49113; k3s-io/k3s#2801.
    """
    search = matrix.search
    if isinstance(search, Missing):
        raise Inconclusive(f"the search list was not walked: {search.detail}")
    wild = [d for d in search.domains if d.of_node and _captures(d)]
    if not wild:
        _all_known(search)
        return
    if search.invented:
        raise Inconclusive(
            "the resolver invents addresses for names that cannot exist: "
            f"{', '.join(search.invented)} below invalid."
        )
    file = resolver.pods if resolver else None
    path = file.path if isinstance(file, ResolvConf) else "/etc/resolv.conf"
    names = ", ".join(d.domain for d in wild)
    yield Finding(
        title=f"A wildcard record below the search domain {names} captures names of the outside",
        evidence=evidence(
            *(
                f"random labels below {d.domain}: {len(d.rtt_ms)} of {d.asked} answered, all with "
                f"{', '.join(d.addresses)}"
                for d in wild
            ),
            f"{path}: search {' '.join(d.domain for d in search.domains if d.of_node)}",
        ),
        fix=Fix(
            f"Take {names} out of the search list of {path} where the node's network configuration "
            "owns it, or give the kubelet a file without it (resolvConf); then replace the pods.",
            (f"grep -n search {path}",),
            verify=f"dig +short @{search.server} netdoctor-test.{wild[0].domain}",
        ),
    )


def _all_known(search: SearchCost) -> None:
    """Raises Inconclusive where one of the node's domains gave too few answers to tell."""
    for d in search.domains:
        if d.of_node and len(d.rtt_ms) < ENOUGH and set(d.rcodes) <= {"NOERROR"}:
            lost = f"{sum(d.errors.values())} questions without an answer"
            raise Inconclusive(f"too few labels below {d.domain} were answered: {lost}")


def _captures(domain: SearchDomain) -> bool:
    """Whether every label got an address: one that did not is no wildcard."""
    positive = domain.rcodes.get("NOERROR", 0)
    others = sum(domain.rcodes.values()) - positive
    return len(domain.rtt_ms) >= ENOUGH and bool(domain.addresses) and not others
