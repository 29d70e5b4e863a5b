"""SVC-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import service_rules
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.service_age import ages
from kubectl_netdoctor.checks.service_rules import Entry
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.netfilter import Iptables, IptablesRuleset
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

INSIDE = "KUBE-SERVICES"
NO_LOCAL = "has no local endpoints"


@check("SVC-05", Severity.MEDIUM, since="0.1")
def local_policy_drops(
    iptables: Iptables, node: NodeInfo, run: RunInfo, changes: ServiceChanges | None
) -> Iterator[Finding]:
    """Traffic to a Service with policy Local arrives at a node without a backend.

    Meaning: internalTrafficPolicy or externalTrafficPolicy is Local, this node has no ready endpoint
      of the Service, and packets for it were dropped here inside the window.
    Impact: clients on this node, or those that a load balancer sends to it, time out.
    Diagnosis: the counter of kube-proxy's own DROP rule moved. The policy alone, and a node without
      a backend, are what was asked for: without dropped packets there is no finding. From outside a
      port scanner is enough to move the counter, so that is low.
    Mitigation: policy Cluster, a backend on every node that clients use, or a load balancer that
      asks healthCheckNodePort.
    Source: kubernetes/kubernetes#92761, #125167; Kubernetes documentation, Service Internal Traffic
      Policy.
    """
    known = ages(changes, run) if changes else None
    for ruleset in (iptables.legacy, iptables.nft):
        if not isinstance(ruleset, IptablesRuleset):
            continue
        inside: list[Entry] = []
        outside: list[Entry] = []
        for chain, entry in service_rules.all_refusals(ruleset):
            if entry.kind == NO_LOCAL and entry.moved and known and known.settled(entry.service):
                (inside if chain == INSIDE else outside).append(entry)
        if inside:
            yield _finding(inside, "internalTrafficPolicy", Severity.MEDIUM, node)
        if outside:
            yield _finding(outside, "externalTrafficPolicy", Severity.LOW, node)


def _finding(entries: list[Entry], policy: str, severity: Severity, node: NodeInfo) -> Finding:
    whence = "clients on this node" if severity is Severity.MEDIUM else "clients from outside"
    names = list(dict.fromkeys(e.service for e in entries))
    shown = [f"{e.port_name}: {e.moved} packets dropped in the window" for e in entries[:6]]
    namespace, _, name = names[0].partition("/")
    patch = f'{{"spec":{{"{policy}":"Cluster"}}}}'
    return Finding(
        title=f"Packets of {whence} are dropped: no backend here, and {policy} is Local",
        severity=severity,
        confidence=Confidence.CERTAIN if severity is Severity.MEDIUM else Confidence.LIKELY,
        evidence=(*evidence(*shown), Evidence(f"{node.name} has no ready endpoint of them")),
        scope=f"{', '.join(names[:3])} as seen from {node.name}",
        fix=Fix(
            "Run a backend on this node, send clients elsewhere, or give up the policy:",
            (f"kubectl -n {namespace} patch service {name} -p '{patch}'",)
            if _plain(names[0])
            else ("kubectl get services -A -o wide",),
            verify=f"iptables-save -c -t filter | grep '{NO_LOCAL}'",
            rollback=None,
            run_on="kubectl",
        ),
    )


def _plain(name: str) -> bool:
    """Whether a name from a rule's comment can stand in a command."""
    return all(c.isalnum() or c in "-./" for c in name) and name.count("/") == 1
