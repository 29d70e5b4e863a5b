"""Every form of question to every DNS server of a node, and the walk through a pod's search list."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubectl_netdoctor.agent.collectors import resolver as node_files
from kubectl_netdoctor.agent.probes import dns_probes
from kubectl_netdoctor.agent.probes.addresses import is_address
from kubectl_netdoctor.agent.probes.dns_exchange import Answer, Server, over_tcp, side_by_side
from kubectl_netdoctor.agent.probes.dns_forms import Form, forms, least, raised
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.search_path import SearchPath
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix, DnsMatrixRole, SearchCost
from kubectl_netdoctor.facts.resolver import KubeletDns, ResolvConf

_WALKS_PER_SECOND = 22  # of these, packets for the walks
_NEAR = 2  # endpoints that are asked before other servers; which ones, differs from node to node
_DNS_PORT = 53
_ROOT, _ROOT_KEYS = ".", (".", "DNSKEY")

Outcome = Answer | str


@dataclass(frozen=True, slots=True)
class Asked:
    """One server, its question, and a name with a large answer."""

    role: DnsMatrixRole
    server: Server
    name: str
    kind: str
    large: tuple[str, str]

    @property
    def forms(self) -> tuple[Form, ...]:
        """What it is asked at least."""
        return forms(self.kind, self.large)


@collector("dns_matrix")
def dns_matrix(run: Run) -> DnsMatrix:
    """All cells side by side, spread over the window."""
    return asyncio.run(_probe(run))


async def _probe(run: Run) -> DnsMatrix:
    pace = Pace.until(run.window_end, run.plan.window_seconds)
    patience = run.plan.probe_timeout_seconds
    known = servers(run)
    chosen, left_out = chosen_within(packets_in(pace.span), known)
    share = packets_in(pace.span) // max(1, len(chosen))
    path = search_path(run, known)
    searching = asyncio.ensure_future(_search(path, pace, patience))
    groups = await asyncio.gather(
        *(
            _cells(server, form, pace, patience)
            for server in chosen
            for form in raised(server.forms, share)
        )
    )
    return DnsMatrix(
        window_seconds=round(pace.span, 6),
        items=tuple(cell for group in groups for cell in group),
        search=await searching,
        left_out=tuple(s.server.address for s in left_out),
    )


def packets_in(seconds: float) -> int:
    """Packets for all cells; a short window has no fewer than one second."""
    return int((budget.DNS_MATRIX - _WALKS_PER_SECOND) * max(1.0, seconds))


def chosen_within(packets: int, known: Sequence[Asked]) -> tuple[list[Asked], list[Asked]]:
    """The servers that can be asked within the bound, at least one, and the others."""
    chosen: list[Asked] = []
    for number, server in enumerate(known):
        packets -= least(server.forms)
        if packets < 0 and chosen:
            return chosen, list(known[number:])
        chosen.append(server)
    return chosen, []


def servers(run: Run) -> list[Asked]:
    """Every server, in the order of what is asked first when not all can be."""
    targets = dns_probes.targets(run)
    zone_question = next((t.name for t in targets if t.role == "service"), "")
    found: dict[tuple[str, str, int], Asked] = {}
    for target in targets:
        inside = target.role in ("service", "endpoint")
        found[target.role, target.server, target.port] = Asked(
            role=target.role,
            server=Server(target.server, target.port),
            # Other servers know no name of the cluster: the root has a type for every question.
            name=target.name if inside else _ROOT,
            kind=target.type if inside else "A",
            large=_large(run, target.name) if inside else _ROOT_KEYS,
        )
    for address in _pod_resolvers(run, {server for _, server, _ in found}):
        name = zone_question or _ROOT
        large = _large(run, name) if zone_question else _ROOT_KEYS
        asked = Asked("pod-resolver", Server(address, _DNS_PORT), name, "A", large)
        found["pod-resolver", address, _DNS_PORT] = asked
    return _ordered(list(found.values()), run.plan.node)


def _large(run: Run, fallback: str) -> tuple[str, str]:
    return (run.plan.dns_large, "SRV") if run.plan.dns_large else (fallback, "A")


def _ordered(found: list[Asked], node: str) -> list[Asked]:
    """ClusterIP and pods' resolver, two endpoints, the outside, then the other endpoints."""
    ends = [s for s in found if s.role == "endpoint"]
    turn = int.from_bytes(hashlib.sha256(node.encode()).digest()[:4]) % max(1, len(ends))
    ends = ends[turn:] + ends[:turn]
    first = [s for s in found if s.role in ("service", "pod-resolver")]
    outside = [s for s in found if s.role in ("upstream", "node-resolver")]
    return [*first, *ends[:_NEAR], *outside, *ends[_NEAR:]]


def _pod_resolvers(run: Run, others: set[str]) -> Iterator[str]:
    """What the kubelet hands to pods, where the plan does not name it anyway."""
    settings = node_files.resolver(run).kubelet if run.plan.node_resolvers else None
    if isinstance(settings, KubeletDns):
        for address in dict.fromkeys(settings.cluster_dns):
            if address not in others and is_address(address, run):
                yield address


def search_path(run: Run, known: Sequence[Asked]) -> SearchPath | Missing:
    """The list of a pod on this node, and whom it asks."""
    files = node_files.resolver(run)
    kubelet = files.kubelet if isinstance(files.kubelet, KubeletDns) else None
    zone = (kubelet.cluster_domain if kubelet else None) or run.plan.dns_zone
    asked = next((s for s in known if s.role in ("service", "pod-resolver")), None)
    if not zone or asked is None:
        return Missing(Reason.NOT_PRESENT, "neither the plan nor a kubelet names cluster DNS")
    of_node = files.pods.search if isinstance(files.pods, ResolvConf) else ()
    return SearchPath.of_pod(asked.server, zone.strip("."), of_node)


async def _search(path: SearchPath | Missing, pace: Pace, patience: float) -> SearchCost | Missing:
    if isinstance(path, Missing):
        return path
    return await path.measure(pace, path.walks(int(_WALKS_PER_SECOND * pace.span)), patience)


async def _cells(asked: Asked, form: Form, pace: Pace, patience: float) -> list[DnsCell]:
    """All questions of one form to one server: a cell for each of its types."""
    running = [
        asyncio.ensure_future(_ask(asked, form, patience)) async for _ in pace.slots(form.count)
    ]
    rounds = await asyncio.gather(*running)
    return [
        _cell(asked, form, kind, [outcomes[at] for outcomes in rounds])
        for at, kind in enumerate(form.types)
    ]


async def _ask(asked: Asked, form: Form, patience: float) -> list[Outcome]:
    queries = [form.query(asked.name, kind) for kind in form.types]
    if form.transport == "tcp":
        return [await over_tcp(asked.server, query, patience) for query in queries]
    return await side_by_side(asked.server, queries, patience)


def _cell(asked: Asked, form: Form, kind: str, outcomes: Sequence[Outcome]) -> DnsCell:
    answers = [o for o in outcomes if isinstance(o, Answer)]
    errors = Counter(o for o in outcomes if isinstance(o, str))
    return DnsCell(
        server=asked.server.address,
        port=asked.server.port,
        role=asked.role,
        transport=form.transport,
        name=form.name or asked.name,
        type=kind,
        paired=len(form.types) > 1,
        payload=form.payload,
        dnssec_ok=form.dnssec_ok,
        filler=form.filler,
        sent=len(outcomes),
        answered=len(answers),
        rcodes=dict(sorted(Counter(a.rcode for a in answers).items())),
        errors=dict(sorted(errors.items())),
        truncated=sum(a.said.truncated for a in answers),
        records=max((a.said.records for a in answers), default=0),
        sizes=tuple(a.size for a in answers),
        rtt_ms=tuple(round(a.nanoseconds / 1e6, 3) for a in answers),
    )
