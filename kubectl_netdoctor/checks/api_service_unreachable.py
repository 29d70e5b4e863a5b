"""API-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.api_reach import ApiReach, api_reach, kept, numbers
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes


@check("API-01", Severity.CRITICAL, since="0.1", explains=("DNS-18",))
def api_service_unreachable(probes: PerNode[PathProbes]) -> Iterator[Finding]:
    """The ClusterIP of the API server is unreachable from a node.

    Meaning: connections to the ClusterIP of default/kubernetes fail, all of them, while an API
      server endpoint answers the same node directly.
    Impact: pods of this node that talk to the API (DNS, CNI, operators, webhooks) stall or crash;
      kubelet and kube-proxy go on, they use the endpoint.
    Diagnosis: a symptom of Service rules in most cases: kube-proxy dead or stale on this node. Each
      connection is a TCP handshake, so an answer of 401 or 403 counts as reachable. Where the
      endpoints fail too, the way to the API server is broken and this check is silent.
    Mitigation: repair what translates Services on the node.
    Source: kubernetes/kubernetes#58299; projectcalico/calico#3422.
    """
    seen = list(api_reach(probes))
    if not any(r.services and r.endpoints for r in seen):
        raise Inconclusive("no node tried both the ClusterIP and an endpoint of the API server")
    for reach in seen:
        answering = [p for p in reach.endpoints if p.received]
        dead = [p for p in reach.services if not p.received and not kept(p)]
        for probe in dead if answering else ():
            yield _finding(reach, probe, answering)


def _finding(reach: ApiReach, dead: PathProbe, answering: list[PathProbe]) -> Finding:
    every = all(p.received == p.sent for p in reach.endpoints)
    return Finding(
        title="The API server's ClusterIP is unreachable, its endpoint answers",
        # With a dead endpoint among several, chance may have sent all connections to that one.
        confidence=Confidence.CERTAIN if every else Confidence.LIKELY,
        evidence=(
            Evidence(f"ClusterIP {numbers(dead)}", reach.node),
            *(Evidence(f"endpoint {numbers(p)}", reach.node) for p in answering[:3]),
        ),
        subjects=(node(reach.node),),
        scope=f"pods and host of {reach.node} to the API server",
        fix=Fix(
            "Look at what translates Services on this node: kube-proxy's log, or that of its "
            "replacement, and the rules for this address.",
            (
                f"iptables-save -t nat | grep -F {dead.address}",
                f"kubectl get pods -A -o wide --field-selector spec.nodeName={reach.node}",
            ),
            verify=f"curl -sk -m 3 https://{_host(dead.address)}:{dead.port}/livez; echo",
        ),
    )


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
