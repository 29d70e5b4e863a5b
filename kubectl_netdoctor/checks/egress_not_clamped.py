"""MTU-06: see the check's docstring."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from kubectl_netdoctor.checks import pod_network
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Interfaces, Route, Routes
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces

DEFAULT = "0.0.0.0/0"
HEADERS = 40  # IPv4 and TCP, RFC 9293: what a segment's size leaves out


@check("MTU-06", Severity.LOW, since="0.1")
def egress_not_clamped(
    pods: PodNamespaces,
    node: NodeInfo,
    interfaces: Interfaces,
    routes: Routes,
    iptables: Iptables | None,
    nftables: Nftables | None,
) -> Iterator[Finding]:
    """The way out of the cluster is smaller than the pods' MTU, and nothing clamps the segment size.

    Meaning: pods announce TCP segments for their own MTU, and the node's default route (a VPN,
      WireGuard, PPPoE, a cloud's smaller network) takes only smaller packets; no rule lowers the
      announced size on the way.
    Impact: what pods send is corrected by the node's own kernel. What comes back in full segments
      must be refused by the router at the other end of the narrow way, with a message that many
      networks filter: some sites hang at the TLS certificate, others work.
    Diagnosis: the default route's MTU, or its device's, against the largest MTU of the node's pods,
      and a search for TCPMSS or maxseg rules. Whether the messages of the other end arrive cannot be
      seen without a target outside, so this is a lead and no proof.
    Mitigation: clamp the segment size to the route's MTU, or make the pods' MTU as small.
    Source: RFC 2923 section 2.1; iptables-extensions(8), TCPMSS; docker/for-linux#594.
    """
    way = _default_route(routes)
    link = interfaces.named(way.interface or "") if way else None
    if way is None or link is None:
        return
    egress = min(link.mtu, way.mtu or link.mtu)
    sizes = [p.mtu for p in pods.items if p.mtu and _of_node(p.addresses, node)]
    if max(sizes, default=0) <= egress:
        return
    clamped = _clamped(iptables, nftables)
    if clamped is None:
        raise Inconclusive("no packet filter could be read, so a clamping rule may be there")
    if clamped:
        return
    yield _finding(way, link.name, egress, sizes)


def _finding(way: Route, device: str, egress: int, sizes: list[int]) -> Finding:
    largest = max(sizes)
    number = sum(size > egress for size in sizes)
    whose = f"the route's MTU on {device}" if way.mtu else device
    add, syn = "iptables -t mangle -A FORWARD", "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS"
    return Finding(
        title=f"The way out takes {egress} bytes, pods send and ask for {largest}",
        confidence=Confidence.POSSIBLE,
        evidence=evidence(
            f"default route: {whose} {egress}, so segments of {egress - HEADERS}",
            f"{number} of {len(sizes)} pods have up to {largest}, so they announce up to "
            f"{largest - HEADERS}",
            "no TCPMSS or maxseg rule on this node",
        ),
        fix=Fix(
            "Clamp the announced segment size to the route, where the firewall's configuration is "
            "kept, or now by hand; or lower the CNI's MTU.",
            (
                f"{add} -o {device} {syn} --clamp-mss-to-pmtu",
                f"{add} -i {device} {syn} --set-mss {egress - HEADERS}",
            ),
            verify="iptables -t mangle -nvL FORWARD | grep TCPMSS",
        ),
    )


def _default_route(routes: Routes) -> Route | None:
    """The IPv4 default route that is taken: the one of the smallest metric."""
    found = [
        r
        for r in routes.items
        if r.destination == DEFAULT and r.table == pod_network.MAIN_TABLE and r.kind == "unicast"
    ]
    return min(found, key=lambda r: r.metric, default=None)


def _of_node(addresses: tuple[str, ...], node: NodeInfo) -> bool:
    cidrs = pod_network.pod_cidrs(node)
    return any(ipaddress.ip_address(a) in cidr for a in addresses for cidr in cidrs)


def _clamped(iptables: Iptables | None, nftables: Nftables | None) -> bool | None:
    """Whether any rule changes the segment size; None where a part of the filters is not known."""
    known = nftables is not None and iptables is not None
    for ruleset in (iptables.legacy, iptables.nft) if iptables else ():
        if isinstance(ruleset, Missing):
            known = known and ruleset.reason is Reason.NOT_PRESENT
            continue
        if any("TCPMSS" in rule.spec for chain in ruleset.chains for rule in chain.rules):
            return True
    for table in nftables.chains if nftables else ():
        if any("maxseg" in rule.expression for rule in table.rules):
            return True
    return False if known else None
