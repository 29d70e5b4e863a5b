"""SVC-12: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.own_service import OwnService
from kubectl_netdoctor.facts.pod_probe import PodProbes

LATE = 5.0  # seconds; kube-proxy writes once a second at most by default, and a busy node is slow


@check("SVC-12", Severity.HIGH, since="0.1")
def service_converges_late(
    own: PerNode[OwnService], pods: PerNode[PodProbes] | None
) -> Iterator[Finding]:
    """A new endpoint of a Service reaches a node's rules late, or not at all.

    Meaning: the run made a Service of its own with one backend on each node (--convergence), and from
      this node it answered late or never, while its backend answered directly.
    Impact: after every rollout requests from this node go to pods that are gone and miss new ones.
    Diagnosis: time on the agent's own clock, from the news that the backend runs until the first
      connection to the ClusterIP: the EndpointSlice's change and the writing of rules are in it.
      Late on all nodes: the EndpointSlice controller or the API server (etcd on a slow disk); on one
      node: its kube-proxy. What was measured is reported as advice where it is in time.
    Mitigation: kube-proxy's log on that node, or the controller manager's; see SVC-11.
    Source: Kubernetes, SLI network programming latency.
    """
    bad = {n: o for n, o in own.items() if _late(n, o, pods or PerNode())}
    good = {n: o for n, o in own.items() if o.seconds is not None and n not in bad}
    numbers = tuple(Evidence(_text(o), n) for n, o in sorted(own.items()))
    if bad:
        never = all(o.seconds is None for o in bad.values())
        everywhere = not good and len(bad) > 1
        yield Finding(
            title=f"A new endpoint of a Service {'does not reach' if never else 'reaches late'} "
            f"{'all nodes' if everywhere else 'these nodes'}",
            severity=Severity.HIGH if never else Severity.MEDIUM,
            confidence=Confidence.CERTAIN,
            evidence=numbers,
            subjects=tuple(node(n) for n in sorted(bad)),
            scope=f"Services as seen from {', '.join(sorted(bad))}",
            fix=Fix(
                "Late everywhere: look at the EndpointSlice controller and the API server. Late on "
                "some nodes: restart their kube-proxy after reading its log.",
                (
                    "kubectl -n kube-system logs -l component=kube-controller-manager --tail=100",
                    "kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=100",
                ),
                run_on="kubectl",
            ),
        )
    elif good:
        yield Finding(
            title="A new endpoint of a Service reaches every node in time",
            severity=Severity.INFO,
            evidence=numbers,
            subjects=tuple(node(n) for n in sorted(good)),
            fix=Fix("Nothing to do: this is what was asked for."),
        )


def _late(name: str, own: OwnService, pods: PerNode[PodProbes]) -> bool:
    """Whether it is the Service that is late, and not its backend that does not answer."""
    if own.seconds is not None:
        return own.seconds > LATE
    fact = pods.get(name)
    directly = fact is not None and any(
        p.vantage == "node" and p.peer == name and p.protocol == "tcp" and p.received
        for p in fact.items
    )
    return directly and own.waited > LATE


def _text(own: OwnService) -> str:
    where = f"{own.address}:{own.port}"
    if own.seconds is not None:
        return f"{where} answered {own.seconds:.1f} s after the node was told of its endpoint"
    errors = ", ".join(f"{n} {e}" for e, n in sorted(own.node.errors.items()))
    return f"{where} did not answer for {own.waited:.1f} s ({own.node.sent} tries: {errors})"
