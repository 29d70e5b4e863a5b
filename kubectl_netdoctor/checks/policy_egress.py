"""Whether the egress rules of NetworkPolicies let pods ask cluster DNS.

Answers are three-valued: what cannot be evaluated from what was read is MAYBE, never a fault.
Source: Kubernetes API reference, NetworkPolicySpec.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_netdoctor.checks.packet import Match, network
from kubectl_netdoctor.facts.cluster import NetworkPolicyInfo
from kubectl_netdoctor.facts.label_selector import keys, selects

DNS_PORT = 53
NODE_LOCAL = "169.254.20.10"  # where NodeLocal DNSCache listens unless it is told otherwise


@dataclass(frozen=True, slots=True)
class DnsServer:
    """Where queries go: addresses and ports, and the pods behind, by namespace and labels.

    Only some labels of a pod are read: a selector that looks at others may or may not take it.
    """

    addresses: frozenset[str]
    ports: frozenset[int]
    port_names: frozenset[str]
    namespace: str
    namespace_labels: Mapping[str, str]
    pod_labels: tuple[Mapping[str, str], ...]


def rules(policy: NetworkPolicyInfo) -> list[Any]:
    """The egress rules of a policy; one that cannot be read has one that nobody understands."""
    try:
        spec = json.loads(policy.spec)
        found = spec.get("egress") or []
    except (ValueError, AttributeError):
        return [None]
    return found if isinstance(found, list) else [None]


def allows_dns(policies: Iterable[NetworkPolicyInfo], server: DnsServer) -> Match:
    """Whether one of these policies lets UDP queries out to cluster DNS."""
    return max(
        (_rule(rule, policy.namespace, server) for policy in policies for rule in rules(policy)),
        default=Match.NO,
    )


def _rule(rule: Any, namespace: str, server: DnsServer) -> Match:
    if not isinstance(rule, dict):
        return Match.MAYBE
    peers, ports = rule.get("to") or [], rule.get("ports") or []
    to = max((_peer(peer, namespace, server) for peer in peers), default=Match.YES)
    on = max((_port(port, server) for port in ports), default=Match.YES)
    return min(to, on)


def _port(port: Any, server: DnsServer) -> Match:
    """An entry of `ports`; without a protocol it is TCP."""
    if not isinstance(port, dict):
        return Match.MAYBE
    if port.get("protocol", "TCP") != "UDP":
        return Match.NO
    first, last = port.get("port"), port.get("endPort")
    if first is None:
        return Match.YES
    if isinstance(first, str):
        return Match.YES if first in server.port_names else Match.MAYBE
    top = last if isinstance(last, int) else first
    wanted = {DNS_PORT, *server.ports}
    return Match.YES if any(first <= number <= top for number in wanted) else Match.NO


def _peer(peer: Any, namespace: str, server: DnsServer) -> Match:
    if not isinstance(peer, dict):
        return Match.MAYBE
    if "ipBlock" in peer:
        return _block(peer["ipBlock"], server)
    of_namespace, of_pods = peer.get("namespaceSelector"), peer.get("podSelector")
    if of_namespace is None:
        there = namespace == server.namespace
    else:
        there = selects(of_namespace, server.namespace_labels)
    if not there:
        return Match.NO
    if of_pods is None or any(selects(of_pods, labels) for labels in server.pod_labels):
        return Match.YES
    seen = {key for labels in server.pod_labels for key in labels}
    return Match.NO if server.pod_labels and keys(of_pods) <= seen else Match.MAYBE


def _block(block: Any, server: DnsServer) -> Match:
    """An ipBlock: which address a CNI compares, the Service's or the pod's, differs."""
    cidr = network(str(block.get("cidr"))) if isinstance(block, dict) else None
    if cidr is None:
        return Match.MAYBE
    holes = [network(str(hole)) for hole in block.get("except") or []]
    for text in {*server.addresses, NODE_LOCAL}:
        address = ipaddress.ip_address(text)
        if address in cidr and not any(hole and address in hole for hole in holes):
            return Match.YES
    return Match.NO


def takes_all_pods(policy: NetworkPolicyInfo) -> bool:
    """Whether a policy is one for its whole namespace."""
    try:
        selector = json.loads(policy.spec).get("podSelector") or {}
    except (ValueError, AttributeError):
        return False
    return not keys(selector)
