"""CT-04: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import service_proxy
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
)
from kubectl_netdoctor.checks.service_age import Ages, ages
from kubectl_netdoctor.checks.stale_udp import (
    STREAM_TIMEOUT,
    TIMEOUT,
    Cluster,
    Stale,
    Timeouts,
    stale,
)
from kubectl_netdoctor.facts.cluster import EndpointSlices, NodeInfo, Nodes, Services
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo
from kubectl_netdoctor.facts.system import Sysctls

EXAMPLES = 6


@check("CT-04", Severity.HIGH, since="0.1", sysctls=(TIMEOUT, STREAM_TIMEOUT))
def conntrack_stale_udp(
    *,
    flows: ConntrackFlows,
    services: Services,
    slices: EndpointSlices,
    nodes: Nodes,
    node: NodeInfo,
    run: RunInfo,
    sysctls: Sysctls | None,
    changes: ServiceChanges | None,
    iptables: Iptables | None,
    nftables: Nftables | None,
) -> Iterator[Finding]:
    """UDP packets still go to a backend that is gone.

    Meaning: connection tracking remembers where a client's first UDP packet was translated to, and
      each further packet of that socket renews the memory. The Service has had another backend, or
      none, for a while, and these packets still go to the old one.
    Impact: clients that keep one socket (statsd, syslog, a resolver with a long-lived socket, SIP)
      lose everything that they send, for as long as they send; new sockets work.
    Diagnosis: UDP entries with a translated destination against the EndpointSlices of the Service,
      terminating and unready endpoints included. An entry counts when it got packets a minute or
      more after the Service's last change; where the Service or the host port is gone, when packets
      came inside the window and no rule leads to that backend any more. Older entries that nobody
      renews expire by themselves and are no finding.
    Mitigation: delete the entries; kube-proxy does so after each change, and releases since 1.32
      left out Services that have no endpoint or were deleted.
    Source: kubernetes/kubernetes#125467, #139628, #58336; kernel documentation,
      networking/nf_conntrack-sysctl.
    """
    if not flows.translated:
        return
    cluster = Cluster(services, slices, nodes, node, _rules(iptables, nftables))
    found = list(stale(flows, cluster, _known(changes, run), Timeouts.of(sysctls)))
    sure = [one for one in found if one.sure]
    if found and not sure:
        raise Inconclusive("UDP entries lead to former backends, and it is not known since when")
    if sure:
        yield _finding(sure, node)


def _known(changes: ServiceChanges | None, run: RunInfo) -> Ages | None:
    return ages(changes, run) if changes else None


def _rules(iptables: Iptables | None, nftables: Nftables | None) -> str | None:
    """Every rule as text; None where they cannot tell what the node translates."""
    found = service_proxy.proxies(iptables, nftables, None, None)
    if iptables is None or not found.iptables or found.nftables or service_proxy.unread(iptables):
        return None
    chains = [c for b in (iptables.legacy, iptables.nft) for c in getattr(b, "chains", ())]
    lines = [r.spec for c in chains if c.table == "nat" for r in c.rules]
    lines += [r.expression for c in (nftables.chains if nftables else ()) for r in c.rules]
    return "\n".join(lines)


def _finding(found: list[Stale], node: NodeInfo) -> Finding:
    flows = [one.flow for one in found]
    number = sum(flow.entries for flow in flows)
    names = sorted({one.service for one in found if one.service})
    what = f" of {names[0]}" if len(names) == 1 else ""
    return Finding(
        title=f"UDP packets still go to a backend{what} that is gone ({number} "
        + ("flow)" if number == 1 else "flows)"),
        # A host port's pod may be on its way back; of a Service it is known that it has settled.
        severity=Severity.HIGH if names else Severity.MEDIUM,
        confidence=Confidence.CERTAIN
        if any(one.gone and one.service for one in found)
        else Confidence.LIKELY,
        evidence=tuple(Evidence(one.text) for one in found[:EXAMPLES])
        + ((Evidence(f"and {len(found) - EXAMPLES} more"),) if len(found) > EXAMPLES else ()),
        scope=f"UDP clients whose packets pass {node.name}",
        fix=Fix(
            "Delete the entries: the next packet is translated anew. Clients that open a socket per "
            "message are spared. If it comes back after each roll-out, upgrade kube-proxy.",
            tuple(
                dict.fromkeys(
                    f"conntrack -D -p udp --orig-dst {f.destination} --orig-port-dst {f.port} "
                    f"--reply-src {f.backend}"
                    for f in flows[:EXAMPLES]
                )
            ),
            verify=f"conntrack -L -p udp --reply-src {flows[0].backend}",
        ),
    )
