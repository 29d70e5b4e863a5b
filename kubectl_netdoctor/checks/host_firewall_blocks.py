"""NF-02: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubectl_netdoctor.checks import needed_traffic, packet_filter
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.checks.needed_traffic import Flow, Kind, Place
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.facts.cluster import EndpointSlices, NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Addresses, Interfaces, Routes
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables

# What has a check of its own: ENC-01 with its probes, NF-05, and NF-01 for all that is forwarded.
ALONE = ({Kind.TUNNEL}, {Kind.KUBELET}, {Kind.PODS}, {Kind.PODS, Kind.PODS_TO_API})

Taken = tuple[Flow, Drop]


@check(
    "NF-02",
    Severity.CRITICAL,
    since="0.1",
    explains=(
        "NF-01",
        "NF-05",
        "ENC-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def host_firewall_blocks(
    node: NodeInfo,
    nodes: Nodes,
    addresses: Addresses,
    interfaces: Interfaces,
    routes: Routes,
    slices: EndpointSlices | None,
    iptables: Iptables | None,
    nftables: Nftables | None,
) -> Iterator[Finding]:
    """The host firewall does not know that this is a Kubernetes node.

    Meaning: firewalld, ufw or a ruleset by hand takes several kinds of traffic that the cluster
      needs, or pods' way to the API server: tunnel packets, requests to the kubelet or the API
      server, packets that are forwarded for pods.
    Impact: pods of this node are cut off; logs and exec fail as soon as the API server needs a new
      connection. Where it rejects, clients fail at once (no route to host); where it drops, they
      time out.
    Diagnosis: the first packet of each kind is walked through all chains of iptables and nftables;
      only a rule or policy that takes it for certain counts. firewalld with the pod network in a
      trusted zone lets everything pass and is no fault. One kind alone is ENC-01, NF-01 or NF-05.
    Mitigation: allow the node's ports and the pod network in the firewall's own configuration.
    Source: rancher/rke2#10469; flannel-io/flannel#2055; Kubernetes documentation, Ports and
      Protocols.
    """
    if iptables is None and nftables is None:
        raise Inconclusive("no firewall rules could be read")
    place = Place(node, nodes, addresses, interfaces, routes)
    taken = list(_taken(place, slices, iptables, nftables))
    kinds = list(dict.fromkeys(flow.kind for flow, _ in taken))
    if not kinds or set(kinds) in ALONE:
        return
    rejects = all(drop.rejects for _, drop in taken)
    verb = "rejects" if rejects else "drops"
    yield Finding(
        title=f"The host firewall {verb} cluster traffic: {', '.join(kinds)}",
        evidence=tuple(_evidence(taken)),
        fix=_fix(place, taken),
    )


def _taken(
    place: Place,
    slices: EndpointSlices | None,
    iptables: Iptables | None,
    nftables: Nftables | None,
) -> Iterator[Taken]:
    for flow in needed_traffic.flows(place, slices):
        drop = packet_filter.verdict(iptables, nftables, flow.hook, flow.packet).drop
        if drop:
            yield flow, drop


def _evidence(taken: Sequence[Taken]) -> Iterator[Evidence]:
    """Each rule once, with the traffic that it takes."""
    rules = dict.fromkeys(packet_filter.counted(drop) for _, drop in taken)
    for rule in rules:
        words = [flow.words for flow, drop in taken if packet_filter.counted(drop) == rule]
        more = f" and {len(words) - 3} more" if len(words) > 3 else ""
        yield Evidence(f"{rule}; it takes {', '.join(words[:3])}{more}")


def _fix(place: Place, taken: Sequence[Taken]) -> Fix:
    ports = {
        f"{flow.packet.destination_port}/{flow.packet.protocol}"
        for flow, _ in taken
        if flow.hook == "input" and flow.packet.destination_port
    }
    pods = [c for n in place.nodes.items for c in n.pod_cidrs]
    opened = [f"firewall-cmd --permanent --add-port={port}" for port in sorted(ports)]
    trusted = [
        f"firewall-cmd --permanent --zone=trusted --add-source={c}" for c in sorted(set(pods))
    ]
    removals = tuple(dict.fromkeys(d.remove for _, d in taken if d.remove))
    return Fix(
        "Allow the node's ports and the pod network in the firewall's own configuration (shown for "
        "firewalld; ufw: ufw allow PORT, ufw default allow routed). By hand until the next reload, "
        "take away what blocks:",
        (*removals, *opened, *trusted[:4], "firewall-cmd --reload"),
        verify="nft list ruleset; iptables-save -c",
    )
