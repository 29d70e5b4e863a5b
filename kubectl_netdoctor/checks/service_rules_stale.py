"""SVC-02: see the check's docstring."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator

from kubectl_netdoctor.checks import service_backends, service_proxy, service_rules
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.service_age import SETTLED, Ages, ages, time
from kubectl_netdoctor.checks.service_backends import Wanted
from kubectl_netdoctor.checks.service_comparison import CUTTING, Context, Difference, Kind, compare
from kubectl_netdoctor.checks.service_proxy import Proxies
from kubectl_netdoctor.checks.service_rules import Key, Programmed
from kubectl_netdoctor.facts.cluster import (
    EndpointSlices,
    NodeInfo,
    PodInfo,
    Pods,
    Services,
    Workloads,
)
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo
from kubectl_netdoctor.facts.system import Components

EXAMPLES = 6  # differences that are spelled out; the rest is counted


@check(
    "SVC-02",
    Severity.CRITICAL,
    since="0.1",
    explains=("API-01", "CT-04", "DNS-21", "API-09", "SVC-11"),
)
def service_rules_stale(
    *,
    iptables: Iptables,
    services: Services,
    slices: EndpointSlices,
    node: NodeInfo,
    run: RunInfo,
    nftables: Nftables | None,
    interfaces: Interfaces | None,
    components: Components | None,
    pods: Pods | None,
    workloads: Workloads | None,
    changes: ServiceChanges | None,
) -> Iterator[Finding]:
    """Service rules on a node are stale or differ from the API.

    Meaning: what kube-proxy programmed on this node is not what Services and EndpointSlices say: a
      Service has no rule, or connections are sent to addresses that are no backend any more.
    Impact: from this node alone a Service fails, always or once in N connections, while it works
      from all others.
    Diagnosis: every ClusterIP port of the node's nat and filter rules is compared with the ready
      endpoints, as the Service's traffic policy, topology hints and draining endpoints allow. A
      difference counts only when nothing wrote the Service or its EndpointSlices in the 60 s before
      the run or during it, and the rules stood at the start and at the end of the window.
    Mitigation: restart kube-proxy on the node and read its log: no way to the API server, a held
      xtables lock, or a restore that fails.
    Source: kubernetes/kubernetes#28674, #67875, #89392; KEP-1669; Kubernetes documentation, Virtual
      IPs and Service Proxies.
    """
    found = service_proxy.proxies(iptables, nftables, interfaces, components)
    why = service_proxy.not_comparable(found, iptables) or _not_meant(found, workloads)
    if why:
        raise Inconclusive(why)
    known = ages(changes, run) if changes else Ages({}, frozenset(), frozenset())
    want = _wanted(services, slices, node, known)
    differences = _differences(found, want, _context(services, slices, known))
    if not differences:
        return
    settled = _settled(differences, known, changes, node, pods, run)
    if settled:
        yield _finding(settled, len(want), found, components, node, pods)


def _wanted(
    services: Services, slices: EndpointSlices, node: NodeInfo, known: Ages
) -> dict[Key, Wanted]:
    """What kube-proxy has to program here: Services that are another proxy's are left out."""
    pieces = service_backends.by_service(slices)
    every = service_backends.wanted(services, pieces, node.name)
    return {key: wish for key, wish in every.items() if wish.service not in known.others}


def _context(services: Services, slices: EndpointSlices, known: Ages) -> Context:
    return Context(
        frozenset(a for s in slices.items for e in s.endpoints for a in e.addresses),
        frozenset(f"{s.namespace}/{s.name}" for s in services.items) | frozenset(known.seconds),
        known.hinted,
    )


def _differences(found: Proxies, want: dict[Key, Wanted], context: Context) -> list[Difference]:
    """Differences of the ruleset that fits better: both backends may hold rules."""
    rulesets = [service_rules.programmed(b.ruleset) for b in found.iptables]
    each = [list(compare(have, want, context)) for have in rulesets or [Programmed({}, {})]]
    best = min(each, key=len)
    if not best and any(not e.readable for have in rulesets for e in have.entries.values()):
        raise Inconclusive("iptables-save cannot print the destinations of some Service rules")
    return best


def _not_meant(found: Proxies, workloads: Workloads | None) -> str | None:
    """Rules without a process: kube-proxy died (SVC-01), or another proxy took over for good."""
    if found.running is not False:
        return None
    daemon = service_proxy.kube_proxy_daemon(workloads)
    if daemon is None or daemon.desired == 0:
        return "kube-proxy does not run here, and no DaemonSet wants it to"
    return None


def _settled(
    differences: list[Difference],
    known: Ages,
    changes: ServiceChanges | None,
    node: NodeInfo,
    pods: Pods | None,
    run: RunInfo,
) -> list[Difference]:
    """The differences that cannot be a race. Raises Inconclusive where all of them may be one."""
    if changes is None:
        raise Inconclusive("Service rules differ from the API, and when that changed is not known")
    if _just_started(node, pods, run):
        raise Inconclusive("kube-proxy or the node started less than a minute ago")
    # When a Service was deleted nobody knows; its rules do no harm, so they may be reported.
    settled = [d for d in differences if d.kind is Kind.ORPHAN or known.settled(d.service)]
    if not settled:
        raise Inconclusive("Service rules differ only where the API changed less than a minute ago")
    return settled


def _just_started(node: NodeInfo, pods: Pods | None, run: RunInfo) -> bool:
    ready, proxy = node.condition("Ready"), proxy_pod(node, pods)
    moments = [ready.since if ready else "", proxy.created if proxy else ""]
    now = time(run.started)
    return any(now - t < SETTLED for m in moments if now and (t := time(m)))


def proxy_pod(node: NodeInfo, pods: Pods | None) -> PodInfo | None:
    """The node's kube-proxy pod."""
    return next(
        (
            p
            for p in (pods.items if pods else ())
            if p.node == node.name
            and "kube-proxy" in (p.labels.get("k8s-app"), p.labels.get("component"))
        ),
        None,
    )


def _finding(
    differences: list[Difference],
    compared: int,
    found: Proxies,
    components: Components | None,
    node: NodeInfo,
    pods: Pods | None,
) -> Finding:
    counts = Counter(d.kind for d in differences)
    kinds = [k for k in Kind if counts[k]]
    worst = CUTTING & set(kinds)
    sure = {Kind.ABSENT, Kind.REFUSED, Kind.GONE, Kind.NODE_PORT} & set(kinds)
    shown = [
        d.text
        for kind in kinds
        for d in [d for d in differences if d.kind is kind][: max(1, EXAMPLES // len(kinds))]
    ]
    services = len({d.service for d in differences})
    return Finding(
        title="Service rules on this node are stale: "
        + ", ".join(_counted(k, counts) for k in kinds),
        severity=_severity(kinds),
        confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
        evidence=(
            *evidence(*shown),
            *evidence(f"compared {compared} Service ports; {_services(services)}"),
            *_health(found, components),
        ),
        scope=f"Services as seen from {node.name}",
        fix=_fix(node, proxy_pod(node, pods), differences[0] if not worst else _first(differences)),
    )


def _services(number: int) -> str:
    return f"{number} Services differ" if number > 1 else "one Service differs"


def _severity(kinds: list[Kind]) -> Severity:
    if CUTTING & set(kinds):
        return Severity.CRITICAL
    return Severity.LOW if kinds == [Kind.ORPHAN] else Severity.HIGH


def _first(differences: list[Difference]) -> Difference:
    return next(d for d in differences if d.kind in CUTTING)


def _counted(kind: Kind, counts: Counter[Kind]) -> str:
    number = counts[kind]
    if kind in (Kind.ABSENT, Kind.REFUSED):
        return f"{number} Service port{'s' if number > 1 else ''} {kind}"
    plural = {
        Kind.ORPHAN: "rules of deleted Services",
        Kind.UNREADY: "backends that are not ready",
    }.get(kind, f"{kind}s")
    return f"{number} {plural if number > 1 else kind}"


def _health(found: Proxies, components: Components | None) -> Iterator[Evidence]:
    if components is None:
        return
    status = components.kube_proxy_healthz
    if "kube-proxy" in components.processes and status is None:
        yield Evidence(
            "kube-proxy's process is there, its health port 10256 says nothing: it hangs"
        )
    elif status is not None:
        yield Evidence(f"kube-proxy's health port 10256 says {status}")
    elif not found.running:
        yield Evidence("no kube-proxy process on the node")


def _fix(node: NodeInfo, pod: PodInfo | None, example: Difference) -> Fix:
    port = example.where.rpartition(":")[2].partition("/")[0].removeprefix("node port ")
    name = shlex.quote(example.port_name)  # a rule's comment may hold anything
    verify = f"iptables-save -t nat | grep -e {name} -e 'dport {port} '   # on {node.name}"
    if pod:
        return Fix(
            "Restart kube-proxy on this node: it writes all rules anew. Its log says why it did not.",
            (
                f"kubectl -n {pod.namespace} logs {pod.name} --tail=100",
                f"kubectl -n {pod.namespace} delete pod {pod.name}",
            ),
            verify=verify,
            run_on="kubectl",
        )
    return Fix(
        "Restart what runs kube-proxy on this node (its DaemonSet's pod, k3s, rke2, k0s).",
        (
            f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name} | grep kube-proxy",
            "systemctl restart k3s-agent 2>/dev/null || systemctl restart rke2-agent   # where that is it",
        ),
        verify=verify,
    )
