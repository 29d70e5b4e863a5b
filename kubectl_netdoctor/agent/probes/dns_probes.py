"""DNS queries to the servers that the plan names, and to the node's own resolvers."""

from __future__ import annotations

import asyncio
from collections import Counter

import dns.exception
import dns.message

from kubectl_netdoctor.agent.collectors.resolver import name_servers
from kubectl_netdoctor.agent.probes.addresses import is_address
from kubectl_netdoctor.agent.probes.dns_exchange import Answer, Server, over_tcp, over_udp
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.plan import DnsTarget
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes, DnsTransport

QUERIES: dict[DnsTransport, int] = {"udp": 10, "tcp": 5}
FEWEST: dict[DnsTransport, int] = {"udp": 5, "tcp": 3}
_EXCHANGE = {"udp": over_udp, "tcp": over_tcp}
_DNS_PORT = 53


@collector("dns_probes")
def dns_probes(run: Run) -> DnsProbes:
    """All queries side by side, spread over the window."""
    return asyncio.run(_probe(run))


async def _probe(run: Run) -> DnsProbes:
    pace = Pace.until(run.window_end, run.plan.window_seconds)
    patience = run.plan.probe_timeout_seconds
    kinds: tuple[DnsTransport, ...] = ("udp", "tcp")
    asked = targets(run)
    items = await asyncio.gather(
        *(
            ask(target, kind, pace, patience, queries(kind, len(asked)))
            for target in asked
            for kind in kinds
        )
    )
    return DnsProbes(round(pace.span, 6), tuple(items))


def targets(run: Run) -> list[DnsTarget]:
    """The plan's targets, and each server of the node's and the pods' resolv.conf.

    These are asked for the root's name servers: no name of anybody leaves the node.
    """
    found = list(run.plan.dns)
    if run.plan.node_resolvers:
        found += [
            DnsTarget("node-resolver", server, _DNS_PORT, ".", "NS")
            for server in name_servers(run.host)
        ]
    return [t for t in dict.fromkeys(found) if is_address(t.server, run) and _is_question(t, run)]


def _is_question(target: DnsTarget, run: Run) -> bool:
    """Whether DNS can ask that; what it cannot is noted and left out."""
    try:
        dns.message.make_query(target.name, target.type)
    except (dns.exception.DNSException, ValueError) as exc:
        run.note(f"dns_probes: {target.name!r:.80} {target.type!r:.20}: {exc}: left out")
        return False
    return True


def queries(kind: DnsTransport, servers: int) -> int:
    """Queries to each of so many servers; fewer where there are many, never too few to judge."""
    all_kinds = sum(QUERIES.values())
    fair = budget.DNS_SERVERS * QUERIES[kind] // (all_kinds * max(1, servers))
    return max(FEWEST[kind], min(QUERIES[kind], fair))


async def ask(
    target: DnsTarget, kind: DnsTransport, pace: Pace, patience: float, count: int
) -> DnsProbe:
    """All queries of one transport to one server."""
    server = Server(target.server, target.port)
    running: list[asyncio.Future[Answer | str]] = []
    async for _ in pace.slots(count):
        query = dns.message.make_query(target.name, target.type)
        running.append(asyncio.ensure_future(_EXCHANGE[kind](server, query, patience)))
    outcomes = await asyncio.gather(*running)
    answers = [o for o in outcomes if isinstance(o, Answer)]
    errors = Counter(o for o in outcomes if isinstance(o, str))
    return DnsProbe(
        server=target.server,
        port=target.port,
        role=target.role,
        transport=kind,
        name=target.name,
        type=target.type,
        sent=len(outcomes),
        answered=len(answers),
        rcodes=dict(sorted(Counter(a.rcode for a in answers).items())),
        rtt_ms=tuple(round(a.nanoseconds / 1e6, 3) for a in answers),
        errors=dict(sorted(errors.items())),
    )
