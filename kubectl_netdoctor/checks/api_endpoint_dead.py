"""API-08: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks.api_reach import api_reach, kept, numbers
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    Subject,
    check,
    node,
)
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes

SERVICE = Subject("Service", "default/kubernetes")


@dataclass(slots=True)
class _Column:
    """One endpoint as seen from all nodes that tried it, and whether others answered them."""

    dead: dict[str, PathProbe]
    asked: set[str]
    answered: dict[str, PathProbe]  # another endpoint, from the nodes for which this one is dead


@check("API-08", Severity.HIGH, since="0.1", explains=("API-01",))
def api_endpoint_dead(probes: PerNode[PathProbes], nodes: Nodes | None) -> Iterator[Finding]:
    """One of several API server endpoints is dead.

    Meaning: default/kubernetes lists an endpoint that answered no connection from any scanned node,
      while another endpoint answered the same nodes.
    Impact: with N endpoints one connection in N through the ClusterIP times out, from every node.
    Diagnosis: a matrix of nodes and endpoints with one dead column. A dead cell alone is a path, and
      belongs to that path; a single endpoint that is dead leaves no API server to ask.
    Mitigation: bring that API server back, or remove its endpoint; API servers remove a member
      whose lease has ended by themselves.
    Source: kubernetes/kubernetes#51445, #67875.
    """
    columns = _columns(probes)
    if not columns:
        raise Inconclusive("no node could try the API server's endpoints")
    for (address, port), column in sorted(columns.items()):
        # Dead from some nodes only is a path, and the checks of paths say so.
        if not column.dead or set(column.dead) != column.asked or not column.answered:
            continue
        yield _finding(address, port, column, _node_of(address, nodes))


def _columns(probes: PerNode[PathProbes]) -> dict[tuple[str, int], _Column]:
    columns: dict[tuple[str, int], _Column] = {}
    for reach in api_reach(probes):
        for probe in reach.endpoints:
            if probe.port is None or kept(probe):
                continue
            column = columns.setdefault((probe.address, probe.port), _Column({}, set(), {}))
            column.asked.add(reach.node)
            if probe.received:
                continue
            column.dead[reach.node] = probe
            other = next((p for p in reach.endpoints if p.received), None)
            if other:
                column.answered[reach.node] = other
    return columns


def _node_of(address: str, nodes: Nodes | None) -> str | None:
    """The cluster's own node that has the address; managed control planes have none."""
    return next((n.name for n in (nodes.items if nodes else ()) if address in n.internal_ips), None)


def _finding(address: str, port: int, column: _Column, where: str | None) -> Finding:
    several = len(column.asked) > 1
    subjects = (SERVICE, node(where)) if where else (SERVICE,)
    return Finding(
        title=f"API server endpoint {address}:{port} does not answer, others do",
        confidence=Confidence.CERTAIN if several else Confidence.LIKELY,
        evidence=(
            *(Evidence(numbers(p), n) for n, p in sorted(column.dead.items())[:4]),
            *(
                Evidence(f"for comparison, {numbers(p)}", n)
                for n, p in sorted(column.answered.items())[:2]
            ),
        ),
        subjects=subjects,
        scope=f"API server {address}, from every node that asked ({', '.join(sorted(column.asked))})",
        paths=tuple((n, where) for n in sorted(column.dead)) if where else (),
        fix=Fix(
            "Start that API server again, or open its port. If the member is gone for good, remove "
            "what still lists it: an EndpointSlice made by hand, or its lease in etcd.",
            (
                "kubectl -n default get endpointslices -l kubernetes.io/service-name=kubernetes -o yaml",
                "kubectl -n kube-system get pods -l component=kube-apiserver -o wide",
            ),
            verify=f"curl -sk -m 3 https://{f'[{address}]' if ':' in address else address}:{port}/livez",
            run_on="kubectl",
        ),
    )
