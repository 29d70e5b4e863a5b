"""DNS-07: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import dns_upstreams
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.facts.cluster import ConfigMaps
from kubectl_netdoctor.facts.probe import DnsProbes
from kubectl_netdoctor.facts.resolver import Resolver


@check("DNS-07", Severity.HIGH, since="0.1", explains=("TGT-01",))
def dns_upstreams_dead(
    probes: DnsProbes, resolver: Resolver | None, maps: ConfigMaps | None
) -> Iterator[Finding]:
    """No upstream resolver answers.

    Meaning: none of the servers to which cluster DNS forwards answered from this node, over UDP or
      TCP. Any answer to a query for the root's NS records counts, whatever its rcode, but for
      SERVFAIL and REFUSED from all of them.
    Impact: cluster names resolve, every other name fails or stalls; image pulls fail.
    Diagnosis: if other traffic from the node fails too, the network is the cause; if the node
      reaches the servers and pods do not, look at masquerading and policies.
    Mitigation: open port 53 towards them, or name servers that are alive.
    Source: CoreDNS, plugin/forward; RFC 1035.
    """
    upstream = dns_upstreams.servers(probes, maps)
    numbers = [p for ps in upstream.values() for p in ps if p.sent]
    if not numbers:
        raise Inconclusive("no upstream resolver is known by address")
    if any(dns_upstreams.helps(p) for p in numbers):
        return
    path = resolver.node.path if resolver and hasattr(resolver.node, "path") else "/etc/resolv.conf"
    yield Finding(
        title="No upstream DNS resolver answers: names outside the cluster do not resolve",
        evidence=tuple(Evidence(dns_upstreams.text(p)) for p in numbers),
        fix=Fix(
            "Check the way to these servers, then name servers that answer, where the node's "
            "network configuration owns them (netplan, NetworkManager, systemd-resolved, DHCP).",
            (f"cat {path}", *(f"dig +time=2 +tries=1 @{s} . NS" for s in upstream)),
            verify=f"dig +short @{next(iter(upstream))} . NS",
        ),
    )
