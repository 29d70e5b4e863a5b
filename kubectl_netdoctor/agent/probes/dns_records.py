"""The zone's SOA record, a name that nobody has and names of Services, from each server of cluster DNS."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence

import dns.exception
import dns.message

from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.probes import dns_probes
from kubectl_netdoctor.agent.probes.dns_exchange import Answer, Server, over_udp
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.dns_records import DnsName, DnsRecords, DnsZone
from kubectl_netdoctor.facts.plan import DnsTarget

SERVERS = 4  # of the endpoints, other ones from each node; the ClusterIP comes on top
PACKETS = budget.DNS_RECORDS
_OWN = 4  # of each server: two questions, each asked again where it got no answer

Outcome = Answer | str


@collector("dns_records")
def dns_records(run: Run) -> DnsRecords:
    """Spread over the window. Raises NotPresent without a cluster."""
    zone = run.plan.dns_zone.strip(".")
    if not zone:
        raise NotPresent("the plan names no zone of cluster DNS")
    return asyncio.run(_probe(run, zone))


async def _probe(run: Run, zone: str) -> DnsRecords:
    pace = Pace.until(run.window_end, run.plan.window_seconds)
    asked = chosen(dns_probes.targets(run), run.plan.node)
    share = max(0, PACKETS // max(1, len(asked)) - _OWN)
    items = await asyncio.gather(*(_zone(run, zone, target, share, pace) for target in asked))
    return DnsRecords(zone, tuple(items))


def chosen(targets: Sequence[DnsTarget], node: str) -> list[DnsTarget]:
    """The ClusterIPs, and some endpoints: which ones, differs from node to node."""
    ends = [t for t in targets if t.role == "endpoint"]
    turn = int.from_bytes(hashlib.sha256(node.encode()).digest()[:4]) % max(1, len(ends))
    near = (ends[turn:] + ends[:turn])[:SERVERS]
    return [*(t for t in targets if t.role == "service"), *near]


async def _zone(run: Run, zone: str, target: DnsTarget, share: int, pace: Pace) -> DnsZone:
    server = Server(target.server, target.port)
    patience = run.plan.probe_timeout_seconds
    names = run.plan.dns_names[:share] if target.role == "endpoint" else ()
    nobody = f"netdoctor-{secrets.token_hex(6)}.default.svc.{zone}."
    questions = [(f"{zone}.", "SOA"), (nobody, "A"), *((name, "A") for name in names)]
    running = [
        asyncio.ensure_future(_ask(server, *questions[number], patience, again=number < 2))
        async for number in pace.slots(len(questions))
    ]
    apex, absent, *others = await asyncio.gather(*running)
    soa = apex.said.soa if isinstance(apex, Answer) else None
    denial = absent.said.soa if isinstance(absent, Answer) and absent.rcode == "NXDOMAIN" else None
    return DnsZone(
        server=target.server,
        port=target.port,
        role=target.role,
        serial=soa.serial if soa else None,
        kept=soa.ttl if soa else None,
        denied_for=min(denial.ttl, denial.minimum) if denial else None,
        names=tuple(_name(n, o) for n, o in zip(names, others, strict=True)),
    )


async def _ask(server: Server, name: str, kind: str, patience: float, *, again: bool) -> Outcome:
    """One question, where it matters asked a second time when nothing came."""
    try:
        query = dns.message.make_query(name, kind)
    except (dns.exception.DNSException, ValueError):
        return "no-question"
    outcome = await over_udp(server, query, patience / 2 if again else patience)
    if again and isinstance(outcome, str):
        outcome = await over_udp(server, dns.message.make_query(name, kind), patience / 2)
    return outcome


def _name(name: str, outcome: Outcome) -> DnsName:
    if isinstance(outcome, str):
        return DnsName(name, "", ())
    return DnsName(name, outcome.rcode, outcome.said.addresses)
