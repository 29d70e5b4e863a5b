"""SVC-04: see the check's docstring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

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
from kubectl_netdoctor.checks.service_age import SETTLED, Ages, ages
from kubectl_netdoctor.facts.cluster import EndpointSlices
from kubectl_netdoctor.facts.pod_namespaces import Listener, PodNamespace, PodNamespaces
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

EXAMPLES = 6


@dataclass(frozen=True, slots=True)
class Backend:
    """One ready endpoint of a Service on a node that was asked, with its pod's namespace."""

    node: str
    pod: str
    address: str
    inside: PodNamespace

    @property
    def judged(self) -> bool:
        """Whether its sockets are all that decides.

        Without any the pod is starting, or its sandbox has a network stack of its own; with packet
        filter tables it may redirect, as service meshes do.
        """
        old = self.inside.age_seconds >= SETTLED.total_seconds()
        return old and bool(self.inside.listeners) and not self.inside.tables

    def listens(self, port: int) -> bool:
        """Whether a connection to the port from elsewhere finds a socket."""
        return any(s.port == port and not _loopback(s) for s in self.inside.listeners)


@check("SVC-04", Severity.MEDIUM, since="0.1")
def port_without_listener(
    pods: PerNode[PodNamespaces], slices: EndpointSlices, changes: ServiceChanges, run: RunInfo
) -> Iterator[Finding]:
    """Nothing listens on the port that a Service leads to.

    Meaning: a pod is a ready endpoint of a Service, listens on other TCP ports, and on the Service's
      target port nothing listens, or only on the pod's loopback address.
    Impact: every connection through the Service that meets this pod is refused at once.
    Diagnosis: the listening sockets in the pod's network namespace, read from the kernel; no
      connection is made. Pods younger than a minute, Services written in the last minute, pods with
      packet filter rules of their own (service meshes redirect) and pods without any socket
      (sandboxes with a network stack of their own) are not judged; nor is UDP.
    Mitigation: correct the Service's targetPort, or let the program listen on all addresses.
    Source: Kubernetes documentation, Debug Services.
    """
    known = ages(changes, run)
    seen = 0
    judged = 0
    silent: defaultdict[tuple[str, int], list[Backend]] = defaultdict(list)
    listening: defaultdict[tuple[str, int], int] = defaultdict(int)
    for service, port, backend in _backends(pods, slices, known):
        seen += 1
        judged += backend.judged
        if backend.listens(port):
            listening[service, port] += 1
        elif backend.judged:
            silent[service, port].append(backend)
    if seen and not judged:
        raise Inconclusive("no endpoint's pod could be judged by its sockets")
    for (service, port), bad in sorted(silent.items()):
        yield _finding(service, port, bad, listening[service, port])


def _backends(
    pods: PerNode[PodNamespaces], slices: EndpointSlices, known: Ages
) -> Iterator[tuple[str, int, Backend]]:
    for piece in slices.items:
        service = f"{piece.namespace}/{piece.service}"
        if piece.service is None or not known.settled(service):
            continue
        ports = [int(p.partition("/")[2]) for p in piece.ports.values() if p.startswith("TCP/")]
        for endpoint in piece.endpoints:
            here = pods.get(endpoint.node or "")
            if here is None or endpoint.ready is False or endpoint.terminating:
                continue
            for address in endpoint.addresses:
                inside = here.at(address)
                if inside is None:
                    continue
                name = endpoint.pod or inside.name or address
                for port in ports:
                    yield service, port, Backend(endpoint.node or "", name, address, inside)


def _loopback(listener: Listener) -> bool:
    return listener.address.startswith(("127.", "::ffff:127.")) or listener.address == "::1"


def _finding(service: str, port: int, bad: list[Backend], good: int) -> Finding:
    namespace, _, name = service.partition("/")
    some = f"{len(bad)} of its {len(bad) + good} pods here" if good else "its pods"
    return Finding(
        title=f"Service {service} leads to port {port}, where {some} do not listen",
        confidence=Confidence.LIKELY,
        evidence=tuple(Evidence(_text(b, port), b.node) for b in bad[:EXAMPLES]),
        subjects=(
            Subject("Service", service),
            *(node(n) for n in sorted({b.node for b in bad})),
        ),
        scope="who connects to it" if not good else "part of the connections to it",
        fix=Fix(
            "Compare the Service's targetPort with what the program listens on, and whether it "
            "listens on 127.0.0.1 only; then correct the one that is wrong.",
            (
                f"kubectl -n {namespace} get service {name} -o jsonpath='{{.spec.ports}}'",
                f"kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}",
            ),
            verify=f"kubectl -n {namespace} run nc --rm -it --restart=Never --image=busybox -- "
            f"nc -zvw2 {bad[0].address} {port}",
            run_on="kubectl",
        ),
    )


def _text(backend: Backend, port: int) -> str:
    inside = backend.inside
    if any(s.port == port for s in inside.listeners):
        return f"{backend.pod} ({backend.address}) listens on port {port} of its loopback only"
    ports = sorted({s.port for s in inside.listeners if not _loopback(s)})
    shown = ", ".join(map(str, ports[:8])) + (" …" if len(ports) > 8 else "")
    others = f"it listens on {shown}" if ports else "it listens on its loopback only"
    return f"{backend.pod} ({backend.address}): nothing listens on TCP {port}; {others}"
