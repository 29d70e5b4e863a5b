"""Probes from this node's companion to everything that pods need, and from the node to companions."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.companion_news import forwarding, wait_for_news
from kubectl_netdoctor.agent.mark import mark
from kubectl_netdoctor.agent.pod_namespace import inside
from kubectl_netdoctor.agent.probes import dns_probes, tcp
from kubectl_netdoctor.agent.probes.addresses import is_address
from kubectl_netdoctor.agent.probes.icmp import Pinger
from kubectl_netdoctor.agent.probes.pacing import Pace, rate
from kubectl_netdoctor.agent.probes.scapy_layers import layer
from kubectl_netdoctor.agent.probes.tally import Tally
from kubectl_netdoctor.agent.probes.udp_echo import Asker
from kubectl_netdoctor.agent.question import token_of
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.companion import PORT
from kubectl_netdoctor.facts.hops import ProbeKind
from kubectl_netdoctor.facts.plan import CompanionNews, Plan
from kubectl_netdoctor.facts.pod_probe import (
    PodPathProbe,
    PodPathProtocol,
    PodPathRole,
    PodProbes,
    Vantage,
)
from kubectl_netdoctor.facts.probe import DnsProbe, DnsTransport

_SPAN = 0.5  # of the window: it is silence that is looked for, and the whole run waits for this
_SHARE = budget.PODS // 4  # ICMP and UDP, of both vantages
_MOST_PER_SECOND = 10  # to each target: enough to tell silence, and the node probes as well


@dataclass(frozen=True, slots=True)
class Target:
    """One address to probe, with every protocol that can be expected to answer."""

    peer: str | None
    role: PodPathRole
    address: str
    protocols: tuple[PodPathProtocol, ...]
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one vantage saw."""

    items: tuple[PodPathProbe, ...]
    dns: tuple[DnsProbe, ...] = ()


@collector("pod_probes")
def pod_probes(run: Run) -> PodProbes:
    """Both vantages side by side, once the addresses are known.

    Raises NotPresent where no companion is coming, or none came.
    """
    with run.listening.probing("pod_probes", run.plan.facts):
        return _from_both(run)


def _from_both(run: Run) -> PodProbes:
    plan = run.plan
    if not plan.companions_within:
        raise NotPresent("no companion is started beside this agent")
    try:
        token = token_of(plan.responder_token)
    except ValueError as exc:
        raise Unreadable(f"the plan's token: {exc}") from exc
    before = forwarding(run.host)
    layer("inet")  # its import takes longer than all else here: before the clock starts
    news = wait_for_news(run)
    run.listening.wait_for_pod(run.plan.facts)
    pace = Pace(time.monotonic(), plan.window_seconds * _SPAN)
    outside: list[Seen | BaseException] = []
    helper = threading.Thread(
        target=_from_node, args=(run, news, pace, token, outside), daemon=True
    )
    helper.start()
    pod, why = _from_pod(run, news, pace, token)
    helper.join()
    if isinstance(outside[0], BaseException):
        raise outside[0]
    return PodProbes(
        window_seconds=round(pace.span, 6),
        address=news.own or None,
        inside=why,
        items=(*pod.items, *outside[0].items),
        dns=pod.dns,
        forwarding=before,
        forwarding_after=forwarding(run.host),
    )


def _from_node(
    run: Run, news: CompanionNews, pace: Pace, token: bytes, out: list[Seen | BaseException]
) -> None:
    try:
        targets = node_targets(run.plan, news)
        out.append(asyncio.run(_probe(run, "node", targets, pace, token, dns=False)))
    except BaseException as exc:  # noqa: BLE001 - raised again by the thread that waits for this
        out.append(exc)


def _from_pod(run: Run, news: CompanionNews, pace: Pace, token: bytes) -> tuple[Seen, str | None]:
    """What the companion's vantage saw, or why there is none."""
    plan = run.plan
    if not news.own:
        return Seen(()), "no companion runs on this node"

    def work() -> Seen:
        return asyncio.run(_probe(run, "pod", pod_targets(plan, news), pace, token, dns=True))

    try:
        return inside(run.host, plan.run, news.own, work), None
    except Absence as absence:
        return Seen(()), str(absence)


def pod_targets(plan: Plan, news: CompanionNews) -> list[Target]:
    """What a pod of this node has to reach: pods, tunnels and addresses of peers, the API server."""
    ways: tuple[PodPathProtocol, ...] = ("icmp", "udp", "tcp")
    found = [Target(c.node, "companion", c.address, ways) for c in news.peers]
    for peer in plan.peers:
        if peer.overlay:
            found.append(Target(peer.name, "overlay", peer.overlay, ("icmp",)))
        found.append(Target(peer.name, "node", peer.address, ("icmp",)))
    found += [
        Target(None, target.role, target.address, ("tcp",), target.port)
        for target in plan.tcp
        if target.role in ("api-server", "api-service")
    ]
    return found


def node_targets(plan: Plan, news: CompanionNews) -> list[Target]:
    """All companions, this node's own among them."""
    ways: tuple[PodPathProtocol, ...] = ("icmp", "udp", "tcp")
    own = [Target(plan.node, "companion", news.own, ways)] if news.own else []
    return own + [Target(c.node, "companion", c.address, ways) for c in news.peers]


async def _probe(
    run: Run, vantage: Vantage, targets: list[Target], pace: Pace, token: bytes, *, dns: bool
) -> Seen:
    """Every protocol of every target, side by side."""
    targets = [t for t in targets if is_address(t.address, run)]
    marks = {t.address: _mark(run.plan, vantage, t) for t in targets}
    pings, answers, connections, questions = await asyncio.gather(
        _ping(run, _of(targets, "icmp"), pace, marks),
        _ask(run, _of(targets, "udp"), pace, token, marks),
        _connect(run, targets, pace),
        _resolve(run, pace) if dns else _nothing(),
    )
    items: list[PodPathProbe] = []
    for target in targets:
        own: list[tuple[PodPathProtocol, int | None, Tally | None]] = [
            ("icmp", None, pings.get(target.address)),
            ("udp", PORT, answers.get(target.address)),
            ("tcp", _port(target), connections.get((target.address, _port(target)))),
        ]
        items += [
            _item(vantage, target, protocol, port, tally)
            for protocol, port, tally in own
            if tally is not None and protocol in target.protocols
        ]
    return Seen(tuple(items), tuple(questions))


def _port(target: Target) -> int:
    return target.port or PORT


def _of(targets: Iterable[Target], protocol: PodPathProtocol) -> list[str]:
    return list(dict.fromkeys(t.address for t in targets if protocol in t.protocols))


def _versions(addresses: list[str]) -> Iterable[tuple[int, list[str]]]:
    for version in (4, 6):
        chosen = [a for a in addresses if ipaddress.ip_address(a).version == version]
        if chosen:
            yield version, chosen


def _mark(plan: Plan, vantage: Vantage, target: Target) -> bytes:
    """What marks the probes to that target."""
    to_peer: dict[PodPathRole, ProbeKind] = {"overlay": "pod-overlay", "node": "pod-node"}
    kind = "node-pod" if vantage == "node" else to_peer.get(target.role, "pod")
    return mark(plan.run, kind, plan.node, target.peer or "")


async def _ping(
    run: Run, addresses: list[str], pace: Pace, marks: Mapping[str, bytes]
) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    per_second = min(_MOST_PER_SECOND, rate(len(addresses), _SHARE))
    for result in await asyncio.gather(
        *(
            Pinger(version, run.plan.probe_timeout_seconds, marks).ping(chosen, pace, per_second)
            for version, chosen in _versions(addresses)
        ),
        return_exceptions=True,
    ):
        _take(run, "ICMP", result, tallies)
    return tallies


async def _ask(
    run: Run, addresses: list[str], pace: Pace, token: bytes, marks: Mapping[str, bytes]
) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    per_second = min(_MOST_PER_SECOND, rate(len(addresses), _SHARE))
    for result in await asyncio.gather(
        *(
            Asker(version, PORT, token, run.plan.probe_timeout_seconds, marks).ask(
                chosen, pace, per_second
            )
            for version, chosen in _versions(addresses)
        ),
        return_exceptions=True,
    ):
        _take(run, "UDP", result, tallies)
    return tallies


def _take(
    run: Run, what: str, result: dict[str, Tally] | BaseException, tallies: dict[str, Tally]
) -> None:
    """Keep the tallies; where no such socket can be had, the log says so."""
    if isinstance(result, Absence | OSError):
        run.note(f"pod_probes: no {what}: {result}")
    elif isinstance(result, BaseException):
        raise result
    else:
        tallies |= result


async def _connect(run: Run, targets: list[Target], pace: Pace) -> dict[tuple[str, int], Tally]:
    ends = list(dict.fromkeys((t.address, _port(t)) for t in targets if "tcp" in t.protocols))
    count = tcp.attempts(len(ends))
    patience = run.plan.probe_timeout_seconds
    tallies = await asyncio.gather(
        *(tcp.connect_often(address, port, pace, count, patience) for address, port in ends)
    )
    return dict(zip(ends, tallies, strict=True))


async def _resolve(run: Run, pace: Pace) -> list[DnsProbe]:
    """The cluster's DNS, by ClusterIP and by endpoint: what pods ask."""
    patience = run.plan.probe_timeout_seconds
    asked = [t for t in dns_probes.targets(run) if t.role in ("service", "endpoint")]
    kinds: tuple[DnsTransport, ...] = ("udp", "tcp")
    return await asyncio.gather(
        *(
            dns_probes.ask(target, kind, pace, patience, dns_probes.queries(kind, len(asked)))
            for target in asked
            for kind in kinds
        )
    )


async def _nothing() -> list[DnsProbe]:
    return []


def _item(
    vantage: Vantage,
    target: Target,
    protocol: PodPathProtocol,
    port: int | None,
    tally: Tally,
) -> PodPathProbe:
    return PodPathProbe(
        vantage=vantage,
        peer=target.peer,
        role=target.role,
        protocol=protocol,
        address=target.address,
        port=port,
        sent=tally.sent,
        received=tally.received,
        rtt_ms=tuple(tally.rtt_ms),
        errors=dict(sorted(tally.errors.items())),
    )
