"""The interfaces that probes pass on a node, and a packet socket on each: packet(7)."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.absence import Absence, Denied, of_error
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.kept import Source
from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.probes import capture_filter
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.hops import TAP_ORDER, Tap, TapRole, WayOut
from kubectl_netdoctor.facts.plan import PeerTarget

MOST_TAPS = 16
_TUNNELS = frozenset({"vxlan", "geneve", "ipip", "sit", "gre", "gretap", "ip6tnl", "wireguard"})
_UP = 0x1
_ALL = 0x0003  # ETH_P_ALL
OUTGOING, OTHERHOST = 4, 3  # linux/if_packet.h
_SOL_PACKET, _STATISTICS = 263, 6
_RCVBUFFORCE, _TIMESTAMP_NS = 33, 35  # asm-generic/socket.h
_TIME = struct.Struct("@ll")
_EXTRA_BYTES = socket.CMSG_SPACE(_TIME.size)
_BUFFER_BYTES = 1 << 21
_SNAP_BYTES = capture_filter.SNAP_BYTES
_AT_ONCE = 4096  # packets of one interface between two looks at the others


@dataclass(slots=True)
class Listener:
    """One interface with its socket, or why there is none."""

    interface: str
    role: TapRole
    sock: socket.socket | None = None
    missing: Missing | None = None
    dropped: int = 0
    timed: bool = False

    def open(self, magic: bytes, *, timed: bool = False) -> None:
        """Begin to listen, in the network namespace of the calling thread. Raises Denied.

        `timed`: the kernel tells when each packet passed.
        """
        try:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
        except PermissionError as exc:
            raise Denied("needs root: packet sockets") from exc
        try:
            capture_filter.attach(sock, magic)
            try:
                sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER_BYTES)
            except OSError:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self.timed = timed
            if timed:
                sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_NS, 1)
            sock.bind((self.interface, _ALL))
        except OSError as exc:
            sock.close()
            self.missing = of_error(exc, self.interface).missing()
        else:
            self.sock = sock

    def packets(self) -> Iterator[tuple[bytes, Source, int]]:
        """What waits: the packet from its IP header on, its source, and if `timed` Unix nanoseconds."""
        if self.sock is None:
            return
        for _ in range(_AT_ONCE):
            try:
                if self.timed:
                    data, extra, _, source = self.sock.recvmsg(_SNAP_BYTES, _EXTRA_BYTES)
                    at = _passed(extra)
                else:
                    data, source = self.sock.recvfrom(_SNAP_BYTES)
                    at = 0
            except BlockingIOError:
                return
            except OSError as exc:
                # The link went down or away: what it carried since then is not known.
                self.missing = Missing(
                    Reason.FAILED, f"{self.interface}: {os.strerror(exc.errno or 0)}"
                )
                return
            yield data, source, at

    def close(self) -> None:
        """End."""
        if self.sock is not None:
            stats = self.sock.getsockopt(_SOL_PACKET, _STATISTICS, 8)
            self.dropped = int(struct.unpack("=II", stats)[1])
            self.sock.close()
            self.sock = None

    @property
    def fact(self) -> Tap:
        """The wire form."""
        return Tap(self.interface, self.role, self.missing, self.dropped)


def _passed(extra: Iterable[tuple[int, int, bytes]]) -> int:
    """Unix nanoseconds, as the kernel says beside a packet."""
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP_NS):
            seconds, nanoseconds = _TIME.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


@dataclass(slots=True)
class Links:
    """The node's links by name, as one dump showed them."""

    items: dict[str, Message] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Links:
        """By name."""
        return cls({m["IFLA_IFNAME"]: m for m in messages if m.get("IFLA_IFNAME")})

    def kind(self, name: str) -> str | None:
        """IFLA_INFO_KIND."""
        found: str | None = self.items.get(name, {}).get("IFLA_LINKINFO", {}).get("IFLA_INFO_KIND")
        return found

    def is_up(self, name: str) -> bool:
        """IFF_UP."""
        return bool(self.items.get(name, {}).get("flags", 0) & _UP)

    def index(self, name: str) -> int | None:
        """Its ifindex."""
        found: int | None = self.items.get(name, {}).get("index")
        return found


def ways_out(host: Host, peers: Iterable[PeerTarget], names: dict[int, str]) -> list[WayOut]:
    """The devices that the kernel routes the addresses of peers to."""
    found = []
    for peer in peers:
        for kind, address in (("node", peer.address), ("overlay", peer.overlay)):
            if address is not None:
                device = device_to(host, address, names)
                found.append(
                    WayOut(peer.name, "node" if kind == "node" else "overlay", address, device)
                )
    return found


def device_to(host: Host, address: str, names: dict[int, str]) -> str | None:
    """The device that the kernel routes an address to; None where it has no route."""
    try:
        return names.get(host.route_to(address).get("RTA_OIF", 0))
    except (Absence, ValueError):
        return None


def listeners(links: Links, ways: Iterable[WayOut]) -> list[Listener]:
    """An interface each, tunnels and NICs first: what cannot be opened is kept with its reason."""
    roles: dict[str, TapRole] = {}
    for way in ways:
        if way.device is not None and links.kind(way.device) not in _TUNNELS:
            if way.kind == "node":
                roles[way.device] = "nic"
            else:
                roles.setdefault(way.device, "inner")
    roles |= {name: "tunnel" for name in links.items if links.kind(name) in _TUNNELS}
    chosen = sorted(roles, key=lambda name: -TAP_ORDER.index(roles[name]))[:MOST_TAPS]
    found = [Listener(name, roles[name]) for name in chosen]
    for one in found:
        if not links.is_up(one.interface):
            one.missing = Missing(Reason.NOT_PRESENT, f"{one.interface} is down")
    return found
