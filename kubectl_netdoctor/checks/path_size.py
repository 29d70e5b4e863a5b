"""What a measured path says of sizes: it fits, a router tells of its limit, or packets vanish."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import PerNode
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.path_mtu import LOCAL, TOO_BIG, MtuRole, PathMtu, PathMtus, SizeProbe

ENOUGH = 6  # silent probes above the limit; fewer prove nothing
CHANCE = 1e-4  # that loss which spares no size could have made all of them silent
OVERHEADS = {"vxlan": 50, "geneve": 50, "ipip": 20, "wireguard": 60}  # IPv4 outside
ETHERNET = 1500


class Kind(StrEnum):
    """What becomes of packets that are too large for the path."""

    FITS = "fits"  # there are none: what the kernel may send passes
    TOLD = "told"  # a router says so: path MTU discovery works
    SILENT = "silent"  # nothing comes back


@dataclass(frozen=True, slots=True)
class Judged:
    """One path to which the answer is known. `above`: the smallest size that does not pass."""

    path: PathMtu
    kind: Kind
    limit: int
    above: int
    silent: int  # probes above the limit, all unanswered

    @property
    def text(self) -> str:
        """`1400 passes, 1401 vanishes`, with what proves it."""
        if self.kind is Kind.FITS:
            return f"{self.limit} passes"
        if self.kind is Kind.TOLD:
            told = next((t for t in self.path.too_big if t.mtu), self.path.too_big[0])
            asked = f", next-hop MTU {told.mtu}" if told.mtu else ""
            return (
                f"{self.limit} passes, {self.above} is refused by {told.reporter} (ICMP 3/4{asked})"
            )
        return (
            f"{self.limit} passes, {self.above} vanishes ({self.silent} larger probes, all silent)"
        )


def judge(path: PathMtu) -> Judged | None:
    """The answer for one path, None where loss or silence at every size leaves it open."""
    limit = path.passes
    if limit is None:
        return None
    larger = [s for s in path.sizes if s.size > limit and set(s.errors) != {LOCAL}]
    if limit >= path.allowed or not larger:
        # What this machine itself refuses to send is its device's MTU, and no fault of the path.
        return Judged(path, Kind.FITS, limit, limit + 1, 0)
    first = larger[0]
    if TOO_BIG in first.errors or any(t.mtu <= limit for t in path.too_big):
        return Judged(path, Kind.TOLD, limit, first.size, 0) if path.too_big else None
    silent = sum(s.silent for s in larger)
    if set(first.errors) != {"timeout"} or silent < ENOUGH or _by_chance(path, limit, silent):
        return None
    return Judged(path, Kind.SILENT, limit, first.size, silent)


def _by_chance(path: PathMtu, limit: int, silent: int) -> bool:
    """Whether loss as it was seen on sizes that do pass explains that much silence."""
    passing: list[SizeProbe] = [s for s in path.sizes if s.size <= limit]
    sent = sum(s.sent for s in passing)
    lost = sent - sum(s.received for s in passing)
    share = (lost + 1) / (sent + 2)  # rule of succession: no loss among few is no proof of none
    return bool(share**silent > CHANCE)


@dataclass(frozen=True, slots=True)
class Paths:
    """All judged paths between Ready nodes, and what the nodes' own devices say."""

    facts: PerNode[PathMtus]
    nodes: Nodes
    interfaces: PerNode[Interfaces] | None

    def of(self, role: MtuRole) -> dict[Pair, Judged]:
        """Judged paths of one role by (from, to)."""
        found: dict[Pair, Judged] = {}
        for name, fact in self.facts.items():
            for path in fact.items:
                peer = self.nodes.named(path.peer)
                judged = judge(path) if path.role == role and peer and peer.ready else None
                if judged:
                    found[name, path.peer] = judged
        return found

    def nic(self, name: str) -> PathMtu | None:
        """A path on the underlay of a scanned node: it names the NIC and its MTU."""
        fact = self.facts.get(name)
        own = [p for p in fact.items if p.role == "node"] if fact else []
        return min(own, key=lambda p: p.device_mtu, default=None)

    def overlay_mtu(self, name: str) -> int | None:
        """MTU of a scanned node's tunnel device."""
        fact = self.facts.get(name)
        return (
            min((p.device_mtu for p in fact.items if p.role == "overlay"), default=None)
            if fact
            else None
        )

    def overhead(self, name: str, device: str) -> tuple[str, int] | None:
        """What the tunnel behind a device adds to each packet; None where that is not known."""
        links = self.interfaces.get(name) if self.interfaces else None
        link = links.named(device) if links else None
        return encapsulation(link) if link else None

    def needs(self, name: str, inner: PathMtu) -> int | None:
        """Size of the outer packet when the overlay's device sends its largest."""
        overhead = self.overhead(name, inner.device)
        return inner.device_mtu + overhead[1] if overhead else None

    def sums(self, name: str, judged: Judged) -> str:
        """The arithmetic of one path, with what was measured."""
        path = judged.path
        nic = self.nic(name)
        overhead = self.overhead(name, path.device)
        if path.role == "overlay" and nic and overhead:
            room = nic.device_mtu - overhead[1]
            head = f"{nic.device} {nic.device_mtu} - {overhead[1]} {overhead[0]} = {room}; "
        else:
            head = ""
        route = f" (route {path.route_mtu})" if path.route_mtu else ""
        return f"{head}{path.device} says {path.device_mtu}{route}; {judged.text}"

    def heard(self, pair: Pair, judged: Judged) -> int | None:
        """The largest request of this pair that the far end saw come in; None where none is known."""
        there = self.facts.get(pair[1])
        here = self.nodes.named(pair[0])
        if there is None or here is None:
            return None
        inner = overlay.tunnel_address(here)
        own = here.internal_ips if judged.path.role == "node" else (inner,)
        return max((a.size for a in there.arrivals if a.source in own), default=None)

    def lost_way(self, pair: Pair, judged: Judged) -> Pair:
        """The direction that loses: a request that came in whole was lost on its way back."""
        size = self.heard(pair, judged)
        return pair[::-1] if size is not None and size > judged.limit else pair


def encapsulation(link: Interface) -> tuple[str, int] | None:
    """Name and bytes of what a tunnel device puts around each packet."""
    over = OVERHEADS.get(link.kind or "")
    if over is None:
        return None
    if link.vxlan and ":" in (link.vxlan.local or ""):
        over = overlay.VXLAN_OVERHEAD[6]
    return (link.kind or "").upper(), over
