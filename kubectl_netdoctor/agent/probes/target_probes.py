"""Probes of the places that the user named, from this node and from its companion."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass

import dns.message

from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.collectors.resolver import name_servers
from kubectl_netdoctor.agent.companion_news import wait_for_news
from kubectl_netdoctor.agent.pod_namespace import inside
from kubectl_netdoctor.agent.probes import tcp
from kubectl_netdoctor.agent.probes.dns_exchange import Answer, Server, over_udp
from kubectl_netdoctor.agent.probes.icmp import Pinger
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.tally import Tally
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.plan import ExternalTarget
from kubectl_netdoctor.facts.pod_probe import Vantage
from kubectl_netdoctor.facts.target import TargetProbe, TargetProbes

_ATTEMPTS = 5  # connections to each target, and echoes a second
_LOOKUPS = 2  # an answer that does not come is asked for once more
_DNS_PORT = 53
NO_ADDRESS = "no-address"


@dataclass(frozen=True, slots=True)
class Found:
    """What a lookup gave: an address, or what came instead of one."""

    server: str | None
    milliseconds: float | None
    address: str | None
    instead: str | None


@collector("target_probes")
def target_probes(run: Run) -> TargetProbes:
    """The node's vantage first, then the companion's, once it is there."""
    window = run.plan.window_seconds
    if not run.plan.targets:
        return TargetProbes(window, None, ())
    pace = Pace.until(run.window_end, window)
    items = asyncio.run(_probe(run, "node", name_servers(run.host), pace))
    try:
        pods, why = _from_pod(run), None
    except Absence as absence:
        pods, why = (), str(absence)
    return TargetProbes(round(pace.span, 6), why, (*items, *pods))


def _from_pod(run: Run) -> tuple[TargetProbe, ...]:
    """Raises an Absence where there is no companion, or it cannot be entered."""
    plan = run.plan
    news = wait_for_news(run)
    servers = [t.server for t in plan.dns if t.role == "service"]
    pace = Pace(time.monotonic(), plan.window_seconds)
    return inside(
        run.host, plan.run, news.own, lambda: asyncio.run(_probe(run, "pod", servers, pace))
    )


async def _probe(
    run: Run, vantage: Vantage, servers: Sequence[str], pace: Pace
) -> tuple[TargetProbe, ...]:
    patience = run.plan.probe_timeout_seconds
    return tuple(
        await asyncio.gather(
            *(_one(vantage, target, servers, pace, patience) for target in run.plan.targets)
        )
    )


async def _one(
    vantage: Vantage, target: ExternalTarget, servers: Sequence[str], pace: Pace, patience: float
) -> TargetProbe:
    found = await _look_up(target.host, servers, patience)
    tally = Tally()
    if found.address is not None and target.port is not None:
        tally = await tcp.connect_often(found.address, target.port, pace, _ATTEMPTS, patience)
    elif found.address is not None:
        tally = await _ping(found.address, pace, patience)
    return TargetProbe(
        vantage=vantage,
        host=target.host,
        port=target.port,
        server=found.server,
        lookup_ms=found.milliseconds,
        lookup=found.instead,
        address=found.address,
        protocol="icmp" if target.port is None else "tcp",
        sent=tally.sent,
        received=tally.received,
        rtt_ms=tuple(tally.rtt_ms),
        errors=dict(sorted(tally.errors.items())),
    )


async def _ping(address: str, pace: Pace, patience: float) -> Tally:
    version = ipaddress.ip_address(address).version
    return (await Pinger(version, patience).ping([address], pace, _ATTEMPTS))[address]


async def _look_up(host: str, servers: Sequence[str], patience: float) -> Found:
    """The first address of a name, as the first server says; an address is its own."""
    try:
        return Found(None, None, str(ipaddress.ip_address(host)), None)
    except ValueError:
        pass
    if not servers:
        return Found(None, None, None, "no DNS server is known")
    instead = NO_ADDRESS
    for kind in ("A", "AAAA"):
        query = dns.message.make_query(f"{host.rstrip('.')}.", kind)
        outcome = await _ask(Server(servers[0], _DNS_PORT), query, patience)
        if isinstance(outcome, str):
            return Found(servers[0], None, None, outcome)
        took = round(outcome.nanoseconds / 1e6, 3)
        if outcome.said.addresses:
            return Found(servers[0], took, outcome.said.addresses[0], None)
        if outcome.rcode != "NOERROR":
            instead = outcome.rcode
    return Found(servers[0], None, None, instead)


async def _ask(server: Server, query: dns.message.Message, patience: float) -> Answer | str:
    outcome = await over_udp(server, query, patience)
    for _ in range(_LOOKUPS - 1):
        if not isinstance(outcome, str):
            break
        outcome = await over_udp(server, query, patience)
    return outcome
