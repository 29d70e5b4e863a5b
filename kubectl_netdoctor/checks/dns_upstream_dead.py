"""DNS-06: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns, dns_upstreams
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import ConfigMaps
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes
from kubectl_netdoctor.facts.resolver import Resolver

ENOUGH = 3  # queries; fewer prove nothing


@check("DNS-06", Severity.MEDIUM, since="0.1", explains=("DNS-01",))
def dns_upstream_dead(
    probes: DnsProbes, resolver: Resolver | None, maps: ConfigMaps | None
) -> Iterator[Finding]:
    """One of several upstream resolvers does not answer.

    Meaning: of the servers to which cluster DNS forwards, one answered nothing from this node, over
      UDP and TCP, while another one answers.
    Impact: names of the outside are slow now and then: CoreDNS waits 2 s for the dead one until its
      health check takes it out, the libc of the node 5 s each time; cluster names are fine.
    Diagnosis: an answer of any rcode is life: some resolvers refuse the question for the root.
    Mitigation: take the dead server out where the node's network configuration or the Corefile
      names it, then restart CoreDNS, which reads resolv.conf once.
    Source: CoreDNS, plugin/forward; coredns/coredns#4447; kubernetes/kubernetes#32992.
    """
    known = dns_upstreams.servers(probes, maps)
    if not known:
        raise Inconclusive("no upstream resolver is known by address")
    dead = {s: ps for s, ps in known.items() if _dead(ps)}
    if not dead or not any(dns_upstreams.helps(p) for ps in known.values() for p in ps):
        return
    for server, probed in dead.items():
        others = [p for s, ps in known.items() if s not in dead for p in ps if p.transport == "udp"]
        named = any(server == address for address, _ in cluster_dns.upstreams(maps))
        yield Finding(
            title=f"One of {len(known)} upstream resolvers does not answer: {server}",
            evidence=tuple(Evidence(dns_upstreams.text(p)) for p in (*probed, *others)),
            fix=_fix(server, resolver, named=named),
        )


def _dead(probed: list[DnsProbe]) -> bool:
    asked = sum(p.sent for p in probed if p.transport == "udp")
    return asked >= ENOUGH and not any(p.answered for p in probed)


def _fix(server: str, resolver: Resolver | None, *, named: bool) -> Fix:
    verify = f"dig +time=2 +tries=1 @{server} . NS"
    restart = "kubectl -n kube-system rollout restart deployment/coredns"
    if named:
        return Fix(
            "Take it out of the Corefile's forward line, or bring it back.",
            ("kubectl -n kube-system edit configmap coredns", restart),
            verify=verify,
            run_on="kubectl",
        )
    file = resolver.pods if resolver else None
    path = "/etc/resolv.conf" if file is None or isinstance(file, Missing) else file.path
    return Fix(
        f"Bring it back, or take it out of {path} where the node's network configuration owns it "
        "(netplan, NetworkManager, systemd-resolved, DHCP); then restart CoreDNS.",
        (f"grep -n nameserver {path}", restart),
        verify=verify,
    )
