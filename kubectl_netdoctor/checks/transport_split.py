"""Paths on which ICMP passes and UDP or TCP do not, and whether checksums are why."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import transport_paths, tunnel_device
from kubectl_netdoctor.checks.base import Evidence, PerNode
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.transport import TransportPath, TransportProbes, TransportRole

ENOUGH = 5  # UDP packets; fewer prove nothing
ATTEMPTS = 2  # the same for connections, each with a second SYN or more
OFFLOADS = (
    "tx-checksum-ip-generic",
    "tx-checksum-ipv4",
    "rx-checksum",
    "tx-udp_tnl-segmentation",
    "tx-udp_tnl-csum-segmentation",
    "rx-gro",
    "rx-lro",
)
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Split:
    """One path: what does not pass although ICMP does. `path` is the asker's view of it."""

    path: TransportPath
    icmp: PathProbe
    protocols: tuple[str, ...]

    @property
    def text(self) -> str:
        """All numbers of the path."""
        udp, tcp = self.path.udp, self.path.tcp
        words = [
            f"ICMP {self.icmp.received}/{self.icmp.sent}",
            f"UDP {udp.received}/{udp.sent or udp.asked}",
            f"TCP {tcp.connected}/{tcp.tried or 'no'} connections",
        ]
        if tcp.connected and tcp.ending != "done":
            words.append(f"upload {tcp.ending} after {tcp.acked} of {tcp.bytes} bytes")
        return f"{self.path.address}: {', '.join(words)}"


def splits(
    probes: PerNode[PathProbes],
    transport: PerNode[TransportProbes],
    nodes: Nodes,
    role: TransportRole,
) -> tuple[set[Pair], dict[Pair, Split]]:
    """Pairs whose ICMP passes and whose both agents ran, and those of them that are split."""
    tested: set[Pair] = set()
    failing: dict[Pair, Split] = {}
    for here, fact in transport.items():
        for path in fact.items:
            machine, echo = nodes.named(path.peer), icmp(probes, here, path)
            if path.role != role or machine is None or not machine.ready or echo is None:
                continue
            if path.peer not in transport:
                continue
            tested.add((here, path.peer))
            if lost := tuple(_lost(path)):
                failing[here, path.peer] = Split(path, echo, lost)
    return tested, failing


def icmp(probes: PerNode[PathProbes], here: str, path: TransportPath) -> PathProbe | None:
    """The echo requests of that path, where all were answered."""
    for probe in probes[here].items if here in probes else ():
        same = (probe.peer, probe.role, probe.protocol) == (path.peer, path.role, "icmp")
        if same and probe.sent >= ENOUGH and not probe.lost:
            return probe
    return None


def _lost(path: TransportPath) -> Iterator[str]:
    udp, tcp = path.udp, path.tcp
    if not udp.received and max(udp.sent, udp.asked if not path.answered else 0) >= ENOUGH:
        yield "UDP"
    if tcp.connected == 0 and set(tcp.errors) == {"timeout"} and sum(tcp.errors.values()) > 1:
        yield "TCP"
    elif tcp.connected and tcp.ending == "stalled":
        yield "large TCP"


def damage(
    failing: dict[Pair, Split], transport: PerNode[TransportProbes]
) -> dict[Pair, dict[str, int]]:
    """Directions whose receiver threw packets away for their checksum, with its counters."""
    found: dict[Pair, dict[str, int]] = {}
    for pair, split in failing.items():
        for way in (pair, pair[::-1]):
            counters = transport_paths.damaged(transport.get(way[1]))
            udp = sum(n for name, n in counters.items() if name.startswith("Udp"))
            enough = udp >= ENOUGH if "UDP" in split.protocols else sum(counters.values()) > 2
            if enough:
                found[way] = counters
    return found


def offloads(
    names: Collection[str], interfaces: PerNode[Interfaces] | None, nodes: Nodes
) -> Iterator[Evidence]:
    """What the tunnel devices and NICs of these nodes compute themselves: beside the verdict."""
    for name in sorted(names)[:SHOWN]:
        pair = devices(name, interfaces, nodes)
        said = [f"{link.name}{flags}" for link in pair if link and (flags := _flags(link))]
        if said:
            yield Evidence("; ".join(said), name)


def devices(
    name: str, interfaces: PerNode[Interfaces] | None, nodes: Nodes
) -> tuple[Interface | None, Interface | None]:
    """A node's tunnel device, and the NIC below it, as far as they are known."""
    links, machine = interfaces.get(name) if interfaces else None, nodes.named(name)
    if links is None or machine is None:
        return None, None
    device = tunnel_device.of(machine, links)
    return device, links.indexed(device.vxlan.parent) if device and device.vxlan else None


def names_of(
    nodes_named: Collection[str], interfaces: PerNode[Interfaces] | None, nodes: Nodes
) -> tuple[str, str]:
    """Names of the tunnel device and of the NIC for commands; placeholders where none is known."""
    found = [devices(name, interfaces, nodes) for name in sorted(nodes_named)]
    tunnel = next((t.name for t, _ in found if t), "TUNNEL")
    return tunnel, next((n.name for _, n in found if n), "NIC")


def _flags(link: Interface) -> str:
    driver = f" ({link.driver}): " if link.driver and not link.vxlan else ": "
    known = [(n, link.offloads[n]) for n in OFFLOADS if n in link.offloads]
    words = ", ".join(f"{n} {'on' if on else 'off'}" for n, on in known)
    return f"{driver}{words}" if words else ""


def wrong_checksums(way: Pair, counters: dict[str, int]) -> Evidence:
    """What the receiver's kernel counted."""
    words = ", ".join(f"{name.replace('.', '')} +{n}" for name, n in sorted(counters.items()))
    return Evidence(f"packets from {way[0]} came in with wrong checksums: {words}", way[1])
