"""NF-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import needed_traffic, packet_filter, pod_network
from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Risk,
    Severity,
    check,
)
from kubectl_netdoctor.checks.packet import Drop, Packet
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Route, Routes
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables


@check(
    "NF-01",
    Severity.CRITICAL,
    since="0.1",
    explains=("DNS-05", "DNS-07", "API-01", "RTE-13", "DNS-21", "API-09", "TGT-01"),
)
def forward_policy_drop(
    iptables: Iptables, nftables: Nftables | None, routes: Routes, node: NodeInfo, nodes: Nodes
) -> Iterator[Finding]:
    """The host firewall drops forwarded pod traffic.

    Meaning: a packet between a pod of this node and a pod of another one meets a DROP, by the
      policy of the FORWARD chain or by a rule, before any rule accepts it.
    Impact: pods of this node and pods of other nodes do not reach each other; DNS, Services and
      webhooks fail with time-outs. The node itself looks healthy.
    Diagnosis: walk the FORWARD chains of iptables-legacy, iptables-nft and nftables in order; all
      of them must let the packet pass. Docker and ufw set the policy to DROP, which does no harm
      while the CNI's accepting rules come first.
    Mitigation: let the CNI add its rules again (restart its agent), or accept the pod network.
    Source: iptables(8); flannel's troubleshooting notes; kubernetes/kubernetes#39823.
    """
    cidrs = pod_network.pod_cidrs(node)
    own = cidrs[0] if cidrs else None
    local = pod_network.route_to(routes, own) if own else None
    if own is None or (local and local.gateway and not _is_default(local)):
        raise Inconclusive("pods are not routed by podCIDR here: their way is not known")
    # The bridge comes with the first pod; without it, any interface may be the pods'.
    bridge = local.interface if local and not _is_default(local) else None
    packets = list(needed_traffic.pod_packets(routes, node, nodes, bridge))
    if not packets:
        raise Inconclusive("there is no route to the pods of another node")
    drops: dict[str, tuple[Drop, Packet]] = {}
    for packet in packets:
        drop = packet_filter.verdict(iptables, nftables, "forward", packet).drop
        if drop:
            drops.setdefault(drop.text, (drop, packet))
    if not drops:
        return
    first = next(iter(drops.values()))[0]
    yield Finding(
        title=f"The host firewall {'rejects' if first.rejects else 'drops'} forwarded traffic of pods",
        evidence=tuple(
            Evidence(f"{packet_filter.counted(drop)}; it meets pods, {packet_text(packet)}")
            for drop, packet in drops.values()
        ),
        fix=Fix(
            "Accept the pod network before the rule that drops it; the CNI's agent normally adds "
            "such rules itself, so restart it if they are gone. The first command takes the "
            "dropping rule or policy away.",
            (
                *((first.remove,) if first.remove else ()),
                f"iptables -I FORWARD -s {own} -j ACCEPT",
                f"iptables -I FORWARD -d {own} -j ACCEPT",
            ),
            risk=Risk.SAFE,
            verify="iptables -L FORWARD -v -n",
            rollback=f"iptables -D FORWARD -s {own} -j ACCEPT; iptables -D FORWARD -d {own} -j ACCEPT",
        ),
    )


def _is_default(route: Route) -> bool:
    return route.destination.endswith("/0")


def packet_text(packet: Packet) -> str:
    """A forwarded packet in words."""
    source = f"{packet.source} ({packet.input or 'any interface'})"
    return f"{source} to {packet.destination} ({packet.output or 'any interface'})"
