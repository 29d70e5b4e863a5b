"""SVC-08: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from kubectl_netdoctor.checks import host_ports, pod_network
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Risk,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.host_ports import HostPort
from kubectl_netdoctor.facts.cluster import NodeInfo, Services
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces


@check("SVC-08", Severity.MEDIUM, since="0.1")
def host_port_leftover(
    pods: PodNamespaces,
    node: NodeInfo,
    iptables: Iptables | None,
    nftables: Nftables | None,
    services: Services | None,
) -> Iterator[Finding]:
    """A hostPort leads to a pod that is gone, or two pods want the same one.

    Meaning: the CNI's port mapping sends a port of the node to an address that no pod of this node
      has, or two rules translate the same port of the same address and the first one always wins.
    Impact: connections to that port of the node time out, or reach another pod than they should; an
      ingress controller with hostPort is dead on this node. A leftover that stands before the rule of
      a living pod, or takes a NodePort or a port that a program of the node listens on, is medium;
      one that nobody else wants is low.
    Diagnosis: rules of the portmap plugin (chains CNI-DN-*, table cni_hostport) against the addresses
      of all network namespaces of the node, at both ends of the window. Rules younger than the window
      are left out. The same port on another address or protocol is legal.
    Mitigation: delete the rules of the pod that is gone; make the living pod again.
    Source: containernetworking/plugins, plugins/meta/portmap; #683; rancher/rke2#10469.
    """
    mapped = host_ports.programmed(iptables, nftables)
    if not mapped:
        return
    if pods.left_out or any(not p.addresses for p in pods.items):
        raise Inconclusive("a pod's address cannot be read, so no hostPort can be called dead")
    alive = {*pods.earlier, *(a for p in pods.items for a in p.addresses)}
    dead = [m for m in mapped if not m.young and m.target not in alive and _own(m, node)]
    for rule in dead:
        yield _leftover(rule, _victim(rule, mapped, pods, services))
    living = [m for m in mapped if not m.young and m not in dead]
    for number, first in enumerate(living):
        for later in living[number + 1 :]:
            same = (first.target, first.target_port) == (later.target, later.target_port)
            if first.hides(later) and not same:
                yield _conflict(first, later)


def _own(rule: HostPort, node: NodeInfo) -> bool:
    """Whether the target would be a pod of this node: an address of another kind is not judged."""
    address = ipaddress.ip_address(rule.target)
    return any(address in cidr for cidr in pod_network.pod_cidrs(node, address.version))


def _victim(
    rule: HostPort, mapped: Sequence[HostPort], pods: PodNamespaces, services: Services | None
) -> str | None:
    """Who does not get the packets that this rule takes, None where nobody wants them."""
    for later in mapped[mapped.index(rule) + 1 :]:
        if rule.hides(later) and later.target != rule.target:
            inside = pods.at(later.target)
            name = f"pod {inside.name} " if inside and inside.name else ""
            return f"{name}({later.target}:{later.target_port}), whose rule comes later"
    for service in services.items if services else ():
        if any((p.protocol, p.node_port) == rule.key for p in service.ports):
            return f"NodePort {rule.port} of Service {service.namespace}/{service.name}"
    heard = {s.port for s in pods.node_listeners if not s.address.startswith("127.")}
    if rule.protocol == "TCP" and rule.port in heard:
        return f"a program of the node that listens on port {rule.port}"
    return None


def _text(rule: HostPort) -> str:
    host = f"{rule.host}:" if rule.host else ""
    counted = f", {rule.moved} connections in the window" if rule.moved else ""
    return (
        f"{rule.place}: {rule.protocol} {host}{rule.port} goes to "
        f"{rule.target}:{rule.target_port}{counted}"
    )


def _leftover(rule: HostPort, victim: str | None) -> Finding:
    return Finding(
        title=f"hostPort {rule.protocol} {rule.port} leads to {rule.target}, a pod that is gone",
        severity=Severity.MEDIUM if victim or rule.moved else Severity.LOW,
        evidence=evidence(
            _text(rule),
            f"no network namespace of this node has {rule.target}",
            *((f"it takes the packets for {victim}",) if victim else ()),
        ),
        fix=Fix(
            "Delete the rules of the pod that is gone; a portmap plugin that leaves them behind is "
            "old, or the container runtime never called it.",
            rule.remove,
            verify="iptables-save -t nat | grep CNI-; nft list table inet cni_hostport",
        ),
    )


def _conflict(first: HostPort, later: HostPort) -> Finding:
    return Finding(
        title=f"Two pods have hostPort {first.protocol} {first.port}: {later.target} gets nothing",
        confidence=Confidence.CERTAIN,
        evidence=evidence(_text(first), f"{_text(later)}: never reached"),
        fix=Fix(
            "Give one of the two pods another hostPort, or none, and make it again.",
            ("kubectl get pods -A -o wide | grep -e " + f"{first.target} -e {later.target}",),
            risk=Risk.DISRUPTIVE,
            verify="iptables-save -t nat | grep CNI-; nft list table inet cni_hostport",
            run_on="kubectl",
        ),
    )
