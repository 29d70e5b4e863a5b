"""ICMP echo, ARP and TCP connections to the peers and addresses that the plan names."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

from kubectl_netdoctor.agent.absence import Absence, Denied
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.probes import arp, tcp
from kubectl_netdoctor.agent.probes.icmp import Pinger
from kubectl_netdoctor.agent.probes.pacing import Pace, rate
from kubectl_netdoctor.agent.probes.scapy_layers import layer
from kubectl_netdoctor.agent.probes.tally import TIMEOUT, Tally
from kubectl_netdoctor.agent.probes.unreachable import NEIGHBOUR_FAILED
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.plan import Plan
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes, PathProtocol, PathRole

Tallies = dict[str, Tally]


@collector("path_probes")
def path_probes(run: Run) -> PathProbes:
    """All path probes side by side. Raises NotPresent without scapy, Denied where nothing may go out.

    An address that the plan names twice is probed once and listed as often as it is named.
    """
    if run.plan.peers:
        layer("inet")  # its import takes longer than all else here: before the clock starts
    return asyncio.run(_probe(run))


async def _probe(run: Run) -> PathProbes:
    plan = run.plan
    pace = Pace.until(run.window_end, plan.window_seconds)
    pings, arps, connections = await asyncio.gather(
        _ping(run, pace), _arp(run, pace), _connect(plan, pace)
    )
    if not plan.tcp and plan.peers and not pings and not arps:
        raise Denied("needs root: ICMP and packet sockets")
    dead = unanswered_neighbours(run.host)
    for tallies in (pings, {a: t for (a, _), t in connections.items()}):
        for address, tally in tallies.items():
            if address in dead and not tally.received:
                tally.rename(TIMEOUT, NEIGHBOUR_FAILED)
    items = [*_peer_items(plan, pings, arps), *_tcp_items(plan, connections)]
    return PathProbes(round(pace.span, 6), tuple(items))


async def _ping(run: Run, pace: Pace) -> Tallies:
    """ICMP echo to every address of every peer, both IP versions at once."""
    addresses = _addresses(run.plan)
    per_second = rate(len(addresses))
    pingers = []
    for version in (4, 6):
        chosen = [a for a in addresses if ipaddress.ip_address(a).version == version]
        if chosen:
            pinger = Pinger(version, run.plan.probe_timeout_seconds)
            pingers.append(pinger.ping(chosen, pace, per_second))
    tallies: Tallies = {}
    for result in await asyncio.gather(*pingers, return_exceptions=True):
        if isinstance(result, Absence):
            run.note(f"path_probes: no ICMP: {result}")
        elif isinstance(result, BaseException):
            raise result
        else:
            tallies |= result
    return tallies


async def _arp(run: Run, pace: Pace) -> Tallies:
    """ARP to the peers that are on a link of this node."""
    addresses = list(dict.fromkeys(peer.address for peer in run.plan.peers))
    try:
        neighbours = await asyncio.to_thread(arp.on_link, run.host, addresses)
        return await arp.Asker(run.plan.probe_timeout_seconds).ask(neighbours, pace)
    except Absence as absence:
        run.note(f"path_probes: no ARP: {absence}")
        return {}


async def _connect(plan: Plan, pace: Pace) -> dict[tuple[str, int], Tally]:
    targets = list(dict.fromkeys((t.address, t.port) for t in plan.tcp))
    count = tcp.attempts(len(targets))
    tallies = await asyncio.gather(
        *(tcp.connect_often(a, p, pace, count, plan.probe_timeout_seconds) for a, p in targets)
    )
    return dict(zip(targets, tallies, strict=True))


def _addresses(plan: Plan) -> list[str]:
    """Every address that is pinged, once."""
    both = [a for peer in plan.peers for a in (peer.address, peer.overlay) if a]
    return list(dict.fromkeys(both))


def unanswered_neighbours(host: Host) -> frozenset[str]:
    """IPv4 neighbours whose ARP entry is incomplete: flags 0x0 in /proc/net/arp, proc(5)."""
    try:
        lines = host.kernel(host.proc / "net/arp").splitlines()[1:]
    except Absence:
        return frozenset()
    rows = (line.split() for line in lines)
    return frozenset(row[0] for row in rows if len(row) > 2 and row[2] == "0x0")


def _peer_items(plan: Plan, pings: Tallies, arps: Tallies) -> Iterable[PathProbe]:
    for peer in plan.peers:
        own = peer.address
        yield from _items(peer.name, "node", "icmp", address=own, tally=pings.get(own))
        yield from _items(peer.name, "node", "arp", address=own, tally=arps.get(own))
        if peer.overlay:
            tally = pings.get(peer.overlay)
            yield from _items(peer.name, "overlay", "icmp", address=peer.overlay, tally=tally)


def _tcp_items(plan: Plan, connections: dict[tuple[str, int], Tally]) -> Iterable[PathProbe]:
    names = {a: peer.name for peer in plan.peers for a in (peer.overlay, peer.address) if a}
    for target in dict.fromkeys(plan.tcp):
        tally = connections[target.address, target.port]
        peer = names.get(target.address)
        yield from _items(
            peer, target.role, "tcp", address=target.address, tally=tally, port=target.port
        )


def _items(
    peer: str | None,
    role: PathRole,
    protocol: PathProtocol,
    *,
    address: str,
    tally: Tally | None,
    port: int | None = None,
) -> Iterable[PathProbe]:
    """The fact of one tally, or nothing where none was made."""
    if tally is not None:
        yield PathProbe(
            peer=peer,
            role=role,
            protocol=protocol,
            address=address,
            port=port,
            sent=tally.sent,
            received=tally.received,
            rtt_ms=tuple(tally.rtt_ms),
            errors=dict(sorted(tally.errors.items())),
        )
