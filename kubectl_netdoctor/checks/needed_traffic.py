"""The packets that a node must let pass for the cluster to work, as its filters see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kubectl_netdoctor.checks import pod_network, tunnel_device
from kubectl_netdoctor.checks.packet import Hook, IpNetwork, Packet, network
from kubectl_netdoctor.facts.cluster import EndpointSlices, NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Addresses, Interfaces, Routes

KUBELET_PORT = 10250


class Kind(StrEnum):
    """What the traffic is for."""

    TUNNEL = "the overlay"
    KUBELET = "the kubelet (logs, exec)"
    API = "the API server"
    PODS = "pods of other nodes"
    PODS_TO_API = "pods to the API server"


@dataclass(frozen=True, slots=True)
class Flow:
    """The first packet of such traffic, in words, and the hook where this node filters it."""

    kind: Kind
    words: str
    hook: Hook
    packet: Packet


@dataclass(frozen=True, slots=True)
class Place:
    """One node, its peers and what is known of its links."""

    node: NodeInfo
    nodes: Nodes
    addresses: Addresses
    interfaces: Interfaces
    routes: Routes

    @property
    def own(self) -> IpNetwork | None:
        """The node's InternalIP."""
        return network(self.node.internal_ips[0]) if self.node.internal_ips else None

    @property
    def uplink(self) -> str | None:
        """The link that holds the InternalIP."""
        held = (a.interface for a in self.addresses.items if a.address in self.node.internal_ips)
        return next(held, None)

    @property
    def bridge(self) -> str | None:
        """The link of the node's own podCIDR; it comes with the first pod."""
        cidrs = pod_network.pod_cidrs(self.node)
        local = pod_network.route_to(self.routes, cidrs[0]) if cidrs else None
        return local.interface if local and not local.gateway else None

    def peers(self) -> Iterator[tuple[NodeInfo, IpNetwork]]:
        """The other nodes with their addresses."""
        for peer in self.nodes.items:
            there = network(peer.internal_ips[0]) if peer.internal_ips else None
            if peer.name != self.node.name and there is not None:
                yield peer, there


def flows(place: Place, slices: EndpointSlices | None) -> Iterator[Flow]:
    """Everything that is known to be needed on this node."""
    yield from tunnel(place)
    yield from pods(place)
    for address, port in api_servers(slices) if slices else ():
        yield from _api(place, address, port)


def tunnel(place: Place) -> Iterator[Flow]:
    """Encapsulated packets from and to each peer."""
    link = tunnel_device.of(place.node, place.interfaces)
    port = link.vxlan.port if link and link.vxlan and link.up else 0
    for peer, there in place.peers() if port else ():
        arrives = Packet(
            there, place.own, input=place.uplink, protocol="udp", destination_port=port
        )
        leaves = Packet(
            place.own, there, output=place.uplink, protocol="udp", destination_port=port
        )
        yield Flow(Kind.TUNNEL, f"UDP {port} from {peer.name}", "input", arrives)
        yield Flow(Kind.TUNNEL, f"UDP {port} to {peer.name}", "output", leaves)


def pods(place: Place) -> Iterator[Flow]:
    """Forwarded packets between this node's pods and each peer's, both ways."""
    for packet in pod_packets(place.routes, place.node, place.nodes, place.bridge):
        yield Flow(Kind.PODS, f"pods, {packet.source} to {packet.destination}", "forward", packet)


def pod_packets(
    routes: Routes, node: NodeInfo, nodes: Nodes, bridge: str | None
) -> Iterator[Packet]:
    """The first packets of flows between this node's pods and each peer's, both ways."""
    mine = pod_network.pod_cidrs(node)
    for peer in nodes.items if mine else ():
        for cidr in pod_network.pod_cidrs(peer) if peer.name != node.name else ():
            way = pod_network.route_to(routes, cidr)
            default = way is None or way.destination.endswith("/0")
            if way and not default and way.interface not in (None, bridge):
                yield Packet(mine[0], cidr, input=bridge, output=way.interface)
                yield Packet(cidr, mine[0], input=way.interface, output=bridge)


def api_servers(slices: EndpointSlices) -> Iterator[tuple[IpNetwork, int]]:
    """IPv4 endpoints of the kubernetes Service."""
    for piece in slices.of("default", "kubernetes"):
        ports = [int(p.partition("/")[2]) for p in piece.ports.values() if p.startswith("TCP/")]
        for address in (a for e in piece.endpoints for a in e.addresses):
            found = network(address)
            if found is not None and found.version == 4:
                yield from ((found, port) for port in ports)


def _api(place: Place, address: IpNetwork, port: int) -> Iterator[Flow]:
    """Between this node and one API server: its kubelet's port, and its pods' way there."""
    cidrs, bridge = pod_network.pod_cidrs(place.node), place.bridge
    here = address == place.own
    if here:
        for peer, there in place.peers():
            words = f"TCP {port} from {peer.name}"
            packet = Packet(
                there, address, input=place.uplink, protocol="tcp", destination_port=port
            )
            yield Flow(Kind.API, words, "input", packet)
    else:
        yield kubelet(place, address)
    if not cidrs or bridge is None:
        return
    way = pod_network.route_to(place.routes, address)
    out = None if here or way is None else way.interface
    if here or out not in (None, bridge):
        packet = Packet(
            cidrs[0], address, input=bridge, output=out, protocol="tcp", destination_port=port
        )
        words = f"pods {cidrs[0]} to the API server {address.network_address}:{port}"
        yield Flow(Kind.PODS_TO_API, words, "input" if here else "forward", packet)


def kubelet(place: Place, api_server: IpNetwork) -> Flow:
    """A log request of one API server."""
    words = f"TCP {KUBELET_PORT} from the API server {api_server.network_address}"
    packet = Packet(
        api_server, place.own, input=place.uplink, protocol="tcp", destination_port=KUBELET_PORT
    )
    return Flow(Kind.KUBELET, words, "input", packet)
