"""V6-01: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_network
from kubectl_netdoctor.checks.base import Finding, Fix, Severity, check, evidence
from kubectl_netdoctor.checks.packet import IpNetwork
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Routes
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces
from kubectl_netdoctor.facts.system import Sysctls

FORWARDING = "net.ipv6.conf.all.forwarding"
DISABLED = "net.ipv6.conf.all.disable_ipv6"
OTHER = {4: 6, 6: 4}

Problem = tuple[str, str]
"""What is wrong, and the command that shows or repairs it."""


@check("V6-01", Severity.MEDIUM, since="0.1", sysctls=(FORWARDING, DISABLED))
def dual_stack_half(
    node: NodeInfo,
    nodes: Nodes,
    routes: Routes,
    sysctls: Sysctls | None,
    pods: PodNamespaces | None,
) -> Iterator[Finding]:
    """Dual stack is enabled by halves.

    Meaning: nodes of the cluster have podCIDRs of IPv4 and of IPv6, and this node lacks a part of
      one family: its podCIDR, the kernel's forwarding, the route to a peer's pods, or its pods have
      no address of that family.
    Impact: one family works and the other does not: clients that try IPv6 first hang, or fail over
      slowly, and it looks like a fault of some programs only.
    Diagnosis: what is there for one family must be there for the other. A cluster of one family is
      left alone, whatever Services ask for (PreferDualStack) and whatever link-local addresses say;
      so are routes where the CNI keeps none for the other family either.
    Mitigation: finish IPv6 (forwarding, the CNI's pool and routes, kube-proxy's cluster-cidr), or
      take it away everywhere.
    Source: projectcalico/calico#4491; k3s-io/k3s#9957; Kubernetes documentation, dual-stack.
    """
    if not any(_families(n) == {4, 6} for n in nodes.items):
        return
    missing = {4, 6} - _families(node)
    problems = (
        [_no_cidr(node, family) for family in sorted(missing)]
        if missing
        else [
            *_forwarding(sysctls),
            *_routes(node, nodes, routes),
            *_addresses(node, pods),
        ]
    )
    if not problems or len(missing) == 2:
        return  # a node without any podCIDR is another fault, or of a CNI that needs none
    yield Finding(
        title="Dual stack is enabled by halves on this node",
        evidence=evidence(*(text for text, _ in problems)),
        scope=f"pods of {node.name}",
        fix=Fix(
            "Finish the family that is missing, or take it away from the whole cluster.",
            tuple(dict.fromkeys(command for _, command in problems)),
            verify="ip -6 route; sysctl net.ipv6.conf.all.forwarding",
        ),
    )


def _families(node: NodeInfo) -> set[int]:
    return {family for family in (4, 6) if pod_network.pod_cidrs(node, family)}


def _no_cidr(node: NodeInfo, family: int) -> Problem:
    others = ", ".join(node.pod_cidrs) or "none"
    command = f"kubectl get node {node.name} -o jsonpath='{{.spec.podCIDRs}}'"
    return f"no IPv{family} podCIDR (it has {others}); other nodes have both", command


def _forwarding(sysctls: Sysctls | None) -> Iterator[Problem]:
    if sysctls is None:
        return
    if sysctls.number(DISABLED) == 1:
        yield f"{DISABLED} = 1: the kernel has no IPv6", f"sysctl -w {DISABLED}=0"
    elif sysctls.number(FORWARDING) == 0:
        yield f"{FORWARDING} = 0: no pod's IPv6 packet is passed on", f"sysctl -w {FORWARDING}=1"


def _routes(node: NodeInfo, nodes: Nodes, routes: Routes) -> Iterator[Problem]:
    """Peers that have a route of their own for one family and none for the other."""
    for peer in nodes.items:
        if peer.name == node.name or not peer.ready or _families(peer) != {4, 6}:
            continue
        have = {
            family: all(_own(routes, cidr) for cidr in pod_network.pod_cidrs(peer, family))
            for family in OTHER
        }
        for family, there in have.items():
            if not there and have[OTHER[family]]:
                cidr = pod_network.pod_cidrs(peer, family)[0]
                who = f"the IPv{family} pods of {peer.name}"
                text = f"no route for {cidr}, {who}; IPv{OTHER[family]} has one"
                yield text, f"ip -{family} route get {next(cidr.hosts())}"


def _own(routes: Routes, cidr: IpNetwork) -> bool:
    found = pod_network.route_to(routes, cidr)
    return found is not None and found.kind == "unicast" and not found.destination.endswith("/0")


def _addresses(node: NodeInfo, pods: PodNamespaces | None) -> Iterator[Problem]:
    """A family of which none of the node's pods has an address, while all have one of the other."""
    seen = [
        {
            ipaddress.ip_address(a).version
            for a in pod.addresses
            if any(
                ipaddress.ip_address(a) in cidr
                for family in OTHER
                for cidr in pod_network.pod_cidrs(node, family)
            )
        }
        for pod in (pods.items if pods else ())
    ]
    members = [families for families in seen if families]
    for family, other in OTHER.items():
        if members and all(families == {other} for families in members):
            command = "kubectl get pods -A -o custom-columns=NAME:.metadata.name,IPS:.status.podIPs"
            yield f"none of {len(members)} pods has an IPv{family} address", command
