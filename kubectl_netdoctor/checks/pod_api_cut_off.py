"""API-09: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_paths
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
from kubectl_netdoctor.facts.cluster import NetworkPolicies
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.pod_probe import PodPathProbe, PodProbes
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes

ENOUGH = 3  # connections; fewer prove nothing
_ROLES = {"api-server": "an endpoint of the API server", "api-service": "its ClusterIP"}


@check("API-09", Severity.CRITICAL, since="0.1", explains=("DNS-18",))
def pod_api_cut_off(
    probes: PerNode[PodProbes],
    companions: Companions,
    node_probes: PerNode[PathProbes],
    policies: NetworkPolicies | None,
) -> Iterator[Finding]:
    """Pods of a node do not reach the API server, the node itself does.

    Meaning: all connections from a pod's own network namespace to the API server's ClusterIP, or to
      an endpoint of it, failed, while all that the node made moments before were answered.
    Impact: cluster DNS, CNI agents and operators on this node lose their watches; kubelet and
      kube-proxy, which are on the host's network, go on.
    Diagnosis: the endpoint fails too: packets of pods die on their way out (forwarding, FORWARD
      rules), or their answers find no way back (no masquerading). Only the ClusterIP fails: Service
      rules do not meet the pods' packets. A handshake is enough: 401 and 403 count as reachable.
    Mitigation: remove the cause that a finding of its own names; without one, compare the ways of a
      pod's and of the node's packets.
    Source: kubernetes/kubernetes#58299; projectcalico/calico#3422.
    """
    if (policy := pod_paths.isolating_policy(policies, companions)) is not None:
        raise Inconclusive(
            f"NetworkPolicy {companions.namespace}/{policy} may hold back the probes themselves"
        )
    asked = False
    for name, fact in probes.items():
        outside = node_probes.get(name)
        if outside is None or fact.inside is not None:
            continue
        pairs = [(p, q) for p in fact.items if p.role in _ROLES and (q := _same(p, outside))]
        asked = asked or bool(pairs)
        dead = [(p, q) for p, q in pairs if p.sent >= ENOUGH and not p.received]
        if dead:
            yield _finding(name, dead)
    if not asked:
        raise Inconclusive("no node reached the API server where a pod could try as well")


def _same(probe: PodPathProbe, outside: PathProbes) -> PathProbe | None:
    """The node's own connections to the same end, where all of them were answered."""
    key = (probe.role, probe.address, probe.port)
    return next(
        (
            q
            for q in outside.items
            if (q.role, q.address, q.port) == key and q.received == q.sent >= ENOUGH
        ),
        None,
    )


def _finding(name: str, dead: list[tuple[PodPathProbe, PathProbe]]) -> Finding:
    first = dead[0][0]
    return Finding(
        title="Pods do not reach the API server, the node itself does",
        confidence=Confidence.LIKELY,
        evidence=tuple(
            Evidence(
                f"{_ROLES[p.role]}, {p.address}:{p.port}: {pod_paths.counts((p,))} from a pod, "
                f"{q.received}/{q.sent} from the node",
                name,
            )
            for p, q in dead[:6]
        ),
        subjects=(node(name),),
        scope=f"pods on {name}",
        fix=Fix(
            "See where the pods' connections or their answers end; the node's own packets take "
            "another way.",
            (
                f"tcpdump -nei any host {first.address} and tcp port {first.port}",
                "sysctl net.ipv4.ip_forward",
                "iptables-save -c | grep -E '^:FORWARD|DROP|REJECT|MASQUERADE'",
            ),
            verify=f"from a pod: curl -sk -m 3 https://{first.address}:{first.port}/livez",
        ),
    )
