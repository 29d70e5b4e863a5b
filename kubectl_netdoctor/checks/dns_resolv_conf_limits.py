"""DNS-09: see the check's docstring."""

from __future__ import annotations

import re
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
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.probe import DnsProbes
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver

SERVERS = 3  # resolv.conf(5) MAXNS, and the kubelet's own limit
CLUSTER_DOMAINS = 3  # that the kubelet puts before the node's
OLD_LIMITS = (6, 256)  # search domains and their characters
LIMITS = (32, 2048)  # ExpandedDNSConfig
EXPANDED = 28  # minor version of Kubernetes in which it became stable


@check("DNS-09", Severity.INFO, since="0.1")
def dns_resolv_conf_limits(
    resolver: Resolver, probes: DnsProbes | None, node: NodeInfo | None
) -> Iterator[Finding]:
    """The resolv.conf for pods has more servers or search domains than are used.

    Meaning: the file that the kubelet hands to pods names more than 3 servers, or more search
      domains than the kubelet passes on.
    Impact: what is over the limit is dropped, with the event DNSConfigForming. Mostly harmless;
      bad where the dropped server is the only one that answers.
    Diagnosis: the same server named twice counts once here. The dropped and the kept servers are
      asked, so that a harmless file stays advice.
    Mitigation: give the kubelet a file of its own with at most 3 servers (resolvConf), or trim the
      lists where DHCP or netplan write them.
    Source: Kubernetes, DNS for Services and Pods; kubernetes/kubernetes#82756; resolv.conf(5).
    """
    file = resolver.pods
    if isinstance(file, Missing):
        raise Inconclusive(f"the kubelet's resolv.conf: {file.detail}")
    servers = tuple(dict.fromkeys(file.nameservers))
    if len(servers) > SERVERS:
        kept, dropped = servers[:SERVERS], servers[SERVERS:]
        needed = _needed(probes, kept, dropped)
        yield Finding(
            title="The only resolver that answers is dropped from the pods' resolv.conf"
            if needed
            else "The pods' resolv.conf has more resolvers than are used",
            severity=Severity.MEDIUM if needed else Severity.INFO,
            evidence=evidence(
                f"{file.path}: {len(servers)} nameservers, used are {', '.join(kept)}",
                f"dropped: {', '.join(dropped)}"
                + (f"; {', '.join(needed)} answers, none of the others does" if needed else ""),
            ),
            fix=_fix(file),
        )
    count, characters = limits(node)
    domains = len(file.search) + CLUSTER_DOMAINS
    length = sum(len(d) + 1 for d in file.search)
    if domains > count or length > characters:
        yield Finding(
            title="The pods' resolv.conf has more search domains than are used",
            evidence=evidence(
                f"{file.path}: {len(file.search)} search domains with {length} characters, and "
                f"{CLUSTER_DOMAINS} of the cluster; limits are {count} and {characters}"
            ),
            fix=_fix(file),
        )


def limits(node: NodeInfo | None) -> tuple[int, int]:
    """Search domains and characters that this node's kubelet passes on."""
    found = re.match(r"v?1\.(\d+)", node.kubelet_version) if node else None
    return OLD_LIMITS if found and int(found[1]) < EXPANDED else LIMITS


def _needed(
    probes: DnsProbes | None, kept: tuple[str, ...], dropped: tuple[str, ...]
) -> tuple[str, ...]:
    """Dropped servers that answer, where no kept one does."""
    asked = {p.server: False for p in (probes.items if probes else ()) if p.sent}
    for probe in probes.items if probes else ():
        asked[probe.server] = asked.get(probe.server, False) or probe.answered > 0
    if any(asked.get(server, True) for server in kept):
        return ()
    return tuple(s for s in dropped if asked.get(s))


def _fix(file: ResolvConf) -> Fix:
    return Fix(
        "Shorten the list where it is made (DHCP, netplan), or give the kubelet a file of its own: "
        "KubeletConfiguration resolvConf.",
        (f"grep -nE '^(nameserver|search)' {file.path}",),
        verify="kubectl get events -A --field-selector reason=DNSConfigForming",
    )
