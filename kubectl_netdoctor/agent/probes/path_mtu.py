"""The largest packet that passes uncut to each peer's addresses, on the underlay and through it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import ipaddress
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubectl_netdoctor.agent.absence import Absence, NotPresent
from kubectl_netdoctor.agent.mark import mark
from kubectl_netdoctor.agent.probes.size_ruler import Ruler
from kubectl_netdoctor.agent.probes.size_search import TRIES, Search, Way
from kubectl_netdoctor.agent.probes.tally import Tally
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.hops import ProbeKind
from kubectl_netdoctor.facts.path_mtu import Arrival, MtuRole, PathMtu, PathMtus, SizeProbe, TooBig

MOST_PEERS = 10  # of a node: when nothing passes to all of them, the search still ends in time
_CUT = 200  # bytes that the packet in fragments is larger than the device's MTU
_LONGEST = 3.0  # seconds that a search may go on after the window, silence not counted
_LARGEST = 65_535
_SIOCGIFMTU = 0x8921
_SIZED: dict[MtuRole, ProbeKind] = {"node": "node-size", "overlay": "overlay-size"}


@dataclass(frozen=True, slots=True)
class Path:
    """One address of a peer, how the kernel reaches it, and the way that is searched."""

    peer: str
    role: MtuRole
    device: str
    device_mtu: int
    route_mtu: int | None
    gateway: str | None
    way: Way
    cut: Way
    done: asyncio.Event = field(default_factory=asyncio.Event)


@collector("path_mtu")
def path_mtu(run: Run) -> PathMtus:
    """All paths side by side. Raises Denied without CAP_NET_RAW, NotPresent where all is IPv6."""
    with run.listening.probing("path_mtu", run.plan.facts):
        return asyncio.run(_measure(run))


async def _measure(run: Run) -> PathMtus:
    paths = list(_paths(run))
    if run.plan.peers and not paths:
        raise NotPresent("no peer has an IPv4 address that this node has a route to")
    plan = run.plan
    marks = {p.way.address: mark(plan.run, _SIZED[p.role], plan.node, p.peer) for p in paths}
    ruler = Ruler(plan.probe_timeout_seconds, plan.run, marks)
    search = Search(ruler.send, ruler.timeout)
    latest = max(run.window_end, time.monotonic()) + _LONGEST
    with ruler.listening():
        work = asyncio.gather(*(_one(run, path, paths, search, ruler) for path in paths))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(work, latest - time.monotonic())
        if paths:
            await asyncio.sleep(max(0.0, run.window_end - time.monotonic()))
            await ruler.land()
    arrivals = tuple(Arrival(s, n) for s, n in sorted(ruler.arrivals.items()))
    return PathMtus(tuple(_fact(path) for path in paths), arrivals)


async def _one(run: Run, path: Path, paths: list[Path], search: Search, ruler: Ruler) -> None:
    """Everything about one path."""
    below = next((p for p in paths if p.peer == path.peer and p.role == "node"), None)
    below = below if path.role == "overlay" else None
    try:
        await search.run(path.way, below.way if below else None, below.done if below else None)
    finally:
        path.done.set()
    await search.confirm(path.way, run.window_end)
    if path.role == "node" and path.way.low == path.way.top:
        for _ in range(TRIES):
            if path.cut.low or not await ruler.send_cut(path.cut, path.device_mtu + _CUT):
                break
            await path.cut.wait(lambda: path.cut.low > 0, search.patience(path.way))


def _paths(run: Run) -> Iterator[Path]:
    """Addresses of peers that this node has an IPv4 route to."""
    names = run.host.interface_names()
    for peer in run.plan.peers[:MOST_PEERS]:
        roles: tuple[tuple[MtuRole, str | None], ...] = (
            ("node", peer.address),
            ("overlay", peer.overlay),
        )
        for role, address in roles:
            if address is None or not _is_ipv4(address):
                continue
            try:
                route = run.host.route_to(address)
            except Absence:
                continue
            device = names.get(route.get("RTA_OIF", 0), "")
            mtu = _device_mtu(device)
            if mtu is None:
                continue
            route_mtu = route.get("RTA_METRICS", {}).get("RTAX_MTU")
            # Through an overlay, a smaller MTU of the route is the usual way to make it fit.
            top = mtu if role == "node" else min(mtu, route_mtu or mtu)
            way = Way(address, min(top, _LARGEST))
            gateway = route.get("RTA_GATEWAY")
            yield Path(
                peer.name, role, device, mtu, route_mtu, gateway, way, Way(address, _LARGEST)
            )


def _is_ipv4(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).version == 4
    except ValueError:
        return False


def _device_mtu(device: str) -> int | None:
    """MTU of a link, netdevice(7); None where it has just gone."""
    request = struct.pack("16s16x", device.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            return int(struct.unpack_from("=i", fcntl.ioctl(sock, _SIOCGIFMTU, request), 16)[0])
        except OSError:
            return None


def _fact(path: Path) -> PathMtu:
    way, cut = path.way, path.cut
    fragmented = [_size(size, tally) for size, tally in cut.sizes.items()]
    return PathMtu(
        peer=path.peer,
        role=path.role,
        address=way.address,
        device=path.device,
        device_mtu=path.device_mtu,
        route_mtu=path.route_mtu,
        gateway=path.gateway,
        sizes=tuple(_size(size, tally) for size, tally in sorted(way.sizes.items())),
        too_big=tuple(
            TooBig(reporter, size, mtu) for (reporter, mtu), size in sorted(way.too_big.items())
        ),
        fragmented=fragmented[0] if fragmented else None,
    )


def _size(size: int, tally: Tally) -> SizeProbe:
    return SizeProbe(size, tally.sent, tally.received, dict(sorted(tally.errors.items())))
