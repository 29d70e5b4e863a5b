"""ENC-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import datapath, overlay
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.checks.overlay import FlannelVxlan
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Fdb, Interfaces, Neighbours

DEAD = ("failed", "incomplete", "none")


@check(
    "ENC-05",
    Severity.HIGH,
    since="0.1",
    explains=("ENC-01", "DNS-05", "DNS-07", "API-01", "SVC-02", "RTE-13", "DNS-21", "API-09"),
)
def vxlan_entry_missing(
    fdb: Fdb, neighbours: Neighbours, interfaces: Interfaces, node: NodeInfo, nodes: Nodes
) -> Iterator[Finding]:
    """A VXLAN forwarding or neighbour entry is missing or wrong.

    Meaning: to reach a peer's pods the node needs a neighbour entry (tunnel address to VTEP MAC)
      and a forwarding entry (VTEP MAC to underlay address); one of them is absent or points
      elsewhere.
    Impact: this node cannot send to that one peer's pods; all other pairs work.
    Diagnosis: both entries are compared with what the peer published. Devices in collect-metadata
      mode (Antrea) have no such entries and are not judged, nor are learning devices; Cilium's are
      in a BPF map, and unknown.
    Mitigation: restart the CNI's agent on this node; until then, add the entry by hand.
    Source: flannel, backend vxlan; bridge(8), ip-neighbour(8).
    """
    here = overlay.flannel_vxlan(node)
    if here is None and datapath.carries(interfaces):
        raise Inconclusive("Cilium keeps the ends of its tunnels in a BPF map that is not read")
    link = interfaces.named(here.device) if here else None
    if here is None or link is None or link.vxlan is None or not link.up:
        return
    if link.vxlan.external or link.vxlan.learning or fdb.truncated or neighbours.truncated:
        return
    for peer in nodes.items:
        there = overlay.flannel_vxlan(peer)
        if there is None or peer.name == node.name or not peer.ready:
            continue
        problems = [*_neighbour(here, there, neighbours), *_forwarding(here, there, fdb)]
        if not problems:
            continue
        yield Finding(
            title=f"The VXLAN entry for {peer.name} is missing or wrong",
            evidence=tuple(Evidence(text) for text, _ in problems),
            scope=f"{node.name} to {peer.name}",
            paths=((node.name, peer.name),),
            fix=Fix(
                "Restart the CNI's agent on this node, which writes the entry again. By hand:",
                tuple(command for _, command in problems),
                verify=f"bridge fdb show dev {here.device}; ip neigh show dev {here.device}",
            ),
        )


def _neighbour(
    here: FlannelVxlan, there: FlannelVxlan, neighbours: Neighbours
) -> Iterator[tuple[str, str]]:
    command = f"ip neigh replace {there.address} lladdr {there.mac} dev {here.device} nud permanent"
    entry = next(
        (
            n
            for n in neighbours.items
            if n.interface == here.device and n.address == there.address and n.state not in DEAD
        ),
        None,
    )
    if entry is None:
        yield f"no neighbour entry for {there.address} on {here.device}", command
    elif entry.lladdr != there.mac:
        yield f"neighbour {there.address} is {entry.lladdr}, published is {there.mac}", command


def _forwarding(here: FlannelVxlan, there: FlannelVxlan, fdb: Fdb) -> Iterator[tuple[str, str]]:
    command = (
        f"bridge fdb replace {there.mac} dev {here.device} dst {there.public_ip} self permanent"
    )
    found = [
        e.destination for e in fdb.items if e.interface == here.device and e.lladdr == there.mac
    ]
    if not found:
        yield f"no forwarding entry for {there.mac} ({there.node}) on {here.device}", command
    elif there.public_ip not in found:
        wrong = ", ".join(str(d) for d in found)
        yield f"{there.mac} is sent to {wrong}, {there.node} is at {there.public_ip}", command
