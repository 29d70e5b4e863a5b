"""DNS-08: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Risk,
    Severity,
    Subject,
    check,
    evidence,
    node,
)
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import (
    ConfigMaps,
    EndpointSlices,
    NodeInfo,
    PodInfo,
    Pods,
    ServiceInfo,
    Services,
)
from kubectl_netdoctor.facts.resolver import ResolvConf, Resolver

RESOLVED = "/run/systemd/resolve/resolv.conf"  # systemd-resolved's list of its real servers


@check("DNS-08", Severity.MEDIUM, since="0.1", explains=("DNS-04", "DNS-05", "DNS-06", "DNS-07"))
def dns_forwarding_loop(
    resolver: Resolver,
    node_info: NodeInfo,
    maps: ConfigMaps,
    services: Services | None,
    slices: EndpointSlices | None,
    pods: Pods | None,
) -> Iterator[Finding]:
    """Cluster DNS forwards to itself: the kubelet hands pods a loopback address as resolver.

    Meaning: the resolv.conf that this node's kubelet gives to pods names 127.0.0.53 or the like, and
      the Corefile forwards to that file: in the pod, that address is CoreDNS itself.
    Impact: CoreDNS sees the loop and crashes as soon as it starts on this node; without its loop
      plugin it eats CPU and answers nothing of the outside.
    Diagnosis: it is the kubelet's file that counts: a loopback address in the node's own file is
      right with systemd-resolved when the kubelet's resolvConf names another file. A CoreDNS that
      runs has read the file as it was at its start.
    Mitigation: point the kubelet's resolvConf to the list of real servers and replace the pods.
    Source: CoreDNS, plugin/loop; coredns/coredns#2087.
    """
    file = resolver.pods
    if isinstance(file, Missing):
        raise Inconclusive(f"the kubelet's resolv.conf: {file.detail}")
    looping = [s for s in file.nameservers if _loopback(s)]
    if not looping or not cluster_dns.uses_node_resolvers(maps):
        return
    service = cluster_dns.service(services) if services else None
    here = list(_dns_pods(pods, service, node_info.name))
    if here and all(p.host_network for p in here):
        return  # in the host's network that address is the node's resolver, not CoreDNS
    crashing = [p for p in here if not p.ready and not p.deleting and _crashed(p)]
    ready = cluster_dns.endpoints(service, slices) if service and slices else None
    subjects = tuple(Subject("Pod", f"{p.namespace}/{p.name}") for p in crashing)
    # Without any endpoint left the whole cluster suffers, not this node.
    place = () if crashing and ready == () else (node(node_info.name),)
    name = node_info.name
    yield Finding(
        title=f"Cluster DNS forwards to itself on {name}"
        if crashing
        else f"Cluster DNS would forward to itself if it started on {name}",
        severity=Severity.CRITICAL if crashing else Severity.MEDIUM,
        confidence=Confidence.CERTAIN if crashing else Confidence.LIKELY,
        evidence=evidence(
            f"kubelet resolvConf {file.path}: nameserver {', '.join(looping)}",
            f"Corefile: forward . {' '.join(cluster_dns.forwards(maps))}",
            *(_state(p) for p in here),
        ),
        subjects=(*subjects, *place),
        scope=f"on {name}",
        fix=_fix(file, resolver, service, crashing),
    )


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _dns_pods(pods: Pods | None, service: ServiceInfo | None, name: str) -> Iterator[PodInfo]:
    for pod in pods.items if pods else ():
        selector = service.selector if service else {"k8s-app": "kube-dns"}
        namespace = service.namespace if service else "kube-system"
        chosen = selector and selector.items() <= pod.labels.items()
        if pod.node == name and pod.namespace == namespace and chosen:
            yield pod


def _crashed(pod: PodInfo) -> bool:
    return pod.restarts > 0 or any(w in ("CrashLoopBackOff", "Error") for w in pod.waiting)


def _state(pod: PodInfo) -> str:
    why = f", {', '.join(pod.waiting)}" if pod.waiting else ""
    ready = "ready" if pod.ready else "not ready"
    return f"pod {pod.name}: {pod.phase}, {ready}{why}, {pod.restarts} restarts"


def _fix(
    file: ResolvConf, resolver: Resolver, service: ServiceInfo | None, crashing: list[PodInfo]
) -> Fix:
    namespace = service.namespace if service else "kube-system"
    own = resolver.node
    real = own.nameservers if isinstance(own, ResolvConf) and own.path != file.path else ()
    target = (
        own.path
        if isinstance(own, ResolvConf) and real and not any(map(_loopback, real))
        else RESOLVED
    )
    replace = tuple(f"kubectl -n {namespace} delete pod {p.name}" for p in crashing)
    return Fix(
        "Give the kubelet a resolv.conf with the real servers (KubeletConfiguration: resolvConf), "
        f"for instance {target}, restart it and replace the CoreDNS pods.",
        (f"cat {target}", "systemctl restart kubelet", *replace),
        risk=Risk.SAFE,
        verify=f"grep -n nameserver {file.path}",
        rollback="set resolvConf back and restart the kubelet",
    )
