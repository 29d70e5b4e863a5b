"""ENC-05: see the check's docstring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.checks import datapath, overlay
from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Inconclusive, Severity, check
from kubectl_netdoctor.checks.many_peers import together
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
    found = _of_peers(here, node, nodes, entries(here.device, fdb, neighbours))
    yield from together(found, "The VXLAN entries for {} peers are missing or wrong")


@dataclass(frozen=True, slots=True)
class Entries:
    """What one device knows: MAC addresses by tunnel address, underlay addresses by MAC."""

    neighbours: Mapping[str, str | None]
    destinations: Mapping[str, list[str | None]]


def entries(device: str, fdb: Fdb, neighbours: Neighbours) -> Entries:
    """The live entries of a device; of two for one address the first counts."""
    macs: dict[str, str | None] = {}
    for n in neighbours.items:
        if n.interface == device and n.state not in DEAD:
            macs.setdefault(n.address, n.lladdr)
    ends: dict[str, list[str | None]] = defaultdict(list)
    for e in fdb.items:
        if e.interface == device:
            ends[e.lladdr].append(e.destination)
    return Entries(macs, ends)


def _of_peers(
    here: FlannelVxlan, node: NodeInfo, nodes: Nodes, known: Entries
) -> Iterator[Finding]:
    for peer in nodes.items:
        there = overlay.flannel_vxlan(peer)
        if there is None or peer.name == node.name or not peer.ready:
            continue
        problems = [*_neighbour(here, there, known), *_forwarding(here, there, known)]
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
    here: FlannelVxlan, there: FlannelVxlan, known: Entries
) -> Iterator[tuple[str, str]]:
    command = f"ip neigh replace {there.address} lladdr {there.mac} dev {here.device} nud permanent"
    if there.address not in known.neighbours:
        yield f"no neighbour entry for {there.address} on {here.device}", command
    elif (mac := known.neighbours[there.address]) != there.mac:
        yield f"neighbour {there.address} is {mac}, published is {there.mac}", command


def _forwarding(
    here: FlannelVxlan, there: FlannelVxlan, known: Entries
) -> Iterator[tuple[str, str]]:
    command = (
        f"bridge fdb replace {there.mac} dev {here.device} dst {there.public_ip} self permanent"
    )
    found = known.destinations.get(there.mac)
    if not found:
        yield f"no forwarding entry for {there.mac} ({there.node}) on {here.device}", command
    elif there.public_ip not in found:
        wrong = ", ".join(str(d) for d in found)
        yield f"{there.mac} is sent to {wrong}, {there.node} is at {there.public_ip}", command
