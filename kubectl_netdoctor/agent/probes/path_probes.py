"""ICMP echo, ARP and TCP connections to the peers and addresses that the plan names."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

from kubectl_netdoctor.agent.absence import Absence, Denied
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.mark import mark
from kubectl_netdoctor.agent.probes import arp, tcp
from kubectl_netdoctor.agent.probes.addresses import is_address
from kubectl_netdoctor.agent.probes.icmp import Pinger
from kubectl_netdoctor.agent.probes.pacing import Pace, rate
from kubectl_netdoctor.agent.probes.scapy_layers import layer
from kubectl_netdoctor.agent.probes.tally import TIMEOUT, Tally
from kubectl_netdoctor.agent.probes.unreachable import NEIGHBOUR_FAILED
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.plan import Plan
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes, PathProtocol, PathRole

Tallies = dict[str, Tally]

_NUD_UNANSWERED = (0x01, 0x20)  # NUD_INCOMPLETE, NUD_FAILED


@collector("path_probes")
def path_probes(run: Run) -> PathProbes:
    """All path probes side by side. Raises NotPresent without scapy, Denied where nothing may go out.

    An address that the plan names twice is probed once and listed as often as it is named. Where a
    firewall rejects, most probes still end in silence: hosts limit the ICMP errors that they send
    (net.ipv4.icmp_ratelimit), so one named error explains the timeouts beside it.
    """
    if run.plan.peers:
        layer("inet")  # its import takes longer than all else here: before the clock starts
    with run.listening.probing("path_probes", run.plan.facts):
        return asyncio.run(_probe(run))


async def _probe(run: Run) -> PathProbes:
    plan = run.plan
    pace = Pace.until(run.window_end, plan.window_seconds)
    pings, arps, connections = await asyncio.gather(
        _ping(run, pace), _arp(run, pace), _connect(run, pace)
    )
    if not plan.tcp and plan.peers and not pings and not arps:
        raise Denied("needs root: ICMP and packet sockets")
    everything = [*pings.items(), *((a, t) for (a, _), t in connections.items())]
    silent = [(address, tally) for address, tally in everything if not tally.received]
    dead = unanswered_neighbours(run.host, {address for address, _ in silent})
    for address, tally in silent:
        if address in dead:
            tally.rename(TIMEOUT, NEIGHBOUR_FAILED)
    items = [*_peer_items(plan, pings, arps), *_tcp_items(plan, connections)]
    return PathProbes(round(pace.span, 6), tuple(items))


async def _ping(run: Run, pace: Pace) -> Tallies:
    """ICMP echo to every address of every peer, both IP versions at once."""
    addresses = _addresses(run)
    per_second = rate(len(addresses), budget.PATHS)
    pingers = []
    for version in (4, 6):
        chosen = [a for a in addresses if ipaddress.ip_address(a).version == version]
        if chosen:
            pinger = Pinger(version, run.plan.probe_timeout_seconds, _marks(run.plan))
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


def _marks(plan: Plan) -> dict[str, bytes]:
    """The mark of the probes to each address."""
    found: dict[str, bytes] = {}
    for peer in plan.peers:
        found[peer.address] = mark(plan.run, "node", plan.node, peer.name)
        if peer.overlay:
            found[peer.overlay] = mark(plan.run, "overlay", plan.node, peer.name)
    return found


async def _arp(run: Run, pace: Pace) -> Tallies:
    """ARP to the peers that are on a link of this node."""
    own = {peer.address for peer in run.plan.peers}
    addresses = [address for address in _addresses(run) if address in own]
    try:
        neighbours = await asyncio.to_thread(arp.on_link, run.host, addresses)
        return await arp.Asker(run.plan.probe_timeout_seconds).ask(neighbours, pace)
    except Absence as absence:
        run.note(f"path_probes: no ARP: {absence}")
        return {}


async def _connect(run: Run, pace: Pace) -> dict[tuple[str, int], Tally]:
    """TCP connections to every address and port."""
    named = dict.fromkeys((t.address, t.port) for t in run.plan.tcp)
    targets = [(address, port) for address, port in named if is_address(address, run)]
    count = tcp.attempts(len(targets))
    patience = run.plan.probe_timeout_seconds
    tallies = await asyncio.gather(
        *(tcp.connect_often(a, p, pace, count, patience) for a, p in targets)
    )
    return dict(zip(targets, tallies, strict=True))


def _addresses(run: Run) -> list[str]:
    """Every address that is pinged, once; what is no address is noted and left out."""
    both = [a for peer in run.plan.peers for a in (peer.address, peer.overlay) if a]
    return [a for a in dict.fromkeys(both) if is_address(a, run)]


def unanswered_neighbours(host: Host, silent: set[str]) -> frozenset[str]:
    """Those of the silent addresses that this node's own ARP or NDP finds nobody at.

    IPv4: flags 0x0 in /proc/net/arp, proc(5); IPv6: the neighbour table.
    """
    dead: set[str] = set()
    try:
        rows = (line.split() for line in host.kernel(host.proc / "net/arp").splitlines()[1:])
        dead |= {row[0] for row in rows if len(row) > 2 and row[2] == "0x0"}
        if any(":" in address for address in silent):
            dead |= {
                message["NDA_DST"]
                for message in host.netlink("neighbours")
                if message["state"] in _NUD_UNANSWERED and "NDA_DST" in message
            }
    except Absence:
        pass  # then silence stays silence
    return frozenset(dead & silent)


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
        tally = connections.get((target.address, target.port))
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
