"""DNS-19: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns, dns_cells, kubelet_dns
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Risk,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import Services
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix
from kubectl_netdoctor.facts.link import Addresses
from kubectl_netdoctor.facts.resolver import KubeletDns, Resolver


@check("DNS-19", Severity.HIGH, since="0.1")
def kubelet_dns_wrong(
    resolver: Resolver,
    services: Services,
    matrix: DnsMatrix | None,
    addresses: Addresses | None,
) -> Iterator[Finding]:
    """The kubelet hands pods a DNS address that is not cluster DNS.

    Meaning: clusterDNS of this node's kubelet is neither the ClusterIP of the DNS Service nor an
      address of a node-local cache, and does not answer for the cluster; or it is not set.
    Impact: pods that start on this node resolve nothing, or nothing of the cluster; older pods keep
      what they have.
    Diagnosis: the kubelet's flags and file are compared with the Service, and the address is asked.
      A link-local address is NodeLocal DNSCache (DNS-11 judges it); another address that answers for
      the cluster is somebody's choice and no fault.
    Mitigation: set clusterDNS in the KubeletConfiguration, restart the kubelet, replace the pods.
    Source: Kubernetes, KubeletConfiguration; kubeovn/kube-ovn#497 (MissingClusterDNS).
    """
    service = cluster_dns.service(services)
    settings = resolver.kubelet
    if service is None:
        raise Inconclusive("the cluster has no DNS Service that is known by its name")
    if isinstance(settings, Missing):
        raise Inconclusive(f"the kubelet's settings: {settings.detail}")
    if not settings.cluster_dns:
        yield from _unset(settings, service.cluster_ips)
        return
    own = {a.address for a in addresses.items} if addresses else set()
    wrong: list[str] = []
    said: list[str] = []
    for address in settings.cluster_dns:
        known = any(kubelet_dns.same(address, ip) for ip in service.cluster_ips)
        if known or kubelet_dns.link_local(address) or address in own:
            return  # one that is right is enough: the others are its reserve
        one = kubelet_dns.seen_of(matrix, address)
        state = kubelet_dns.answers(one)
        if state:
            return
        wrong.append(address)
        if one is not None and state is False:
            said.append(f"{address}: {dns_cells.counts(one.plain)}")
    yield Finding(
        title=f"The kubelet hands pods {', '.join(wrong)} as cluster DNS, which it is not",
        confidence=Confidence.CERTAIN if said else Confidence.LIKELY,
        evidence=evidence(
            f"kubelet clusterDNS: {', '.join(wrong)}",
            f"Service {service.namespace}/{service.name}: {', '.join(service.cluster_ips)}",
            *said,
        ),
        fix=_fix(service.cluster_ips),
    )


def _unset(settings: KubeletDns, ips: tuple[str, ...]) -> Iterator[Finding]:
    """Nothing set is a fault only where the kubelet's file was read at all."""
    if settings.cluster_domain is None and settings.resolv_conf is None:
        raise Inconclusive("neither flags nor a file told what the kubelet hands to pods")
    yield Finding(
        title="The kubelet hands pods no cluster DNS",
        confidence=Confidence.LIKELY,
        evidence=evidence("kubelet clusterDNS: not set", f"the DNS Service has {', '.join(ips)}"),
        fix=_fix(ips),
    )


def _fix(ips: tuple[str, ...]) -> Fix:
    wanted = ", ".join(f'"{ip}"' for ip in ips)
    return Fix(
        f"Set clusterDNS: [{wanted}] in the node's KubeletConfiguration (or its --cluster-dns flag), "
        "restart the kubelet, and replace the pods that were started with the wrong address.",
        ("grep -n -A3 clusterDNS /var/lib/kubelet/config.yaml", "systemctl restart kubelet"),
        risk=Risk.DISRUPTIVE,
        verify="kubectl run dns-test --rm -it --image=busybox --restart=Never -- cat /etc/resolv.conf",
        rollback="set clusterDNS back and restart the kubelet",
    )
