"""What a pod's search list costs a name of the outside, and who answers names that nobody chose."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import dns.message

from kubectl_netdoctor.agent.probes.dns_exchange import Answer, Server, side_by_side
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.facts.dns_matrix import SearchCost, SearchDomain

MOST_DOMAINS = 8  # of the node's list; a longer one is walked no further
_LEAST_WALKS, _MOST_WALKS = 2, 10
_PAIR = ("A", "AAAA")
_ANSWERS, _MORE = 2, 12  # a domain with fewer answers is asked that often again, all at once
_NAMESPACE = "default"  # a pod's own namespace is the list's first domain
_ROOT = "."
_NOT_EXISTING = "invalid."  # RFC 6761 section 6.4


@dataclass(slots=True)
class _Seen:
    """What one domain of the list said so far."""

    asked: int = 0
    rcodes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    addresses: dict[str, None] = field(default_factory=dict)
    rtt_ms: list[float] = field(default_factory=list)

    def add(self, outcomes: Iterable[Answer | str]) -> bool:
        """Count the answers of one step; whether it ended the libc's walk with an address."""
        self.asked += 1
        answers: list[Answer] = []
        for outcome in outcomes:
            if isinstance(outcome, str):
                self.errors[outcome] += 1
            else:
                answers.append(outcome)
                self.rcodes[outcome.rcode] += 1
                self.addresses.update(dict.fromkeys(outcome.said.addresses))
        if answers:
            self.rtt_ms.append(_ms(max(a.nanoseconds for a in answers)))
        return any(a.said.addresses for a in answers)


@dataclass(frozen=True, slots=True)
class SearchPath:
    """The list of a pod: the cluster's domains, then those of the node's file."""

    server: Server
    domains: tuple[tuple[str, bool], ...]  # name, whether it is the node's

    @classmethod
    def of_pod(cls, server: Server, zone: str, of_node: Sequence[str]) -> SearchPath:
        """As the kubelet writes it, ClusterFirst."""
        own = [f"{_NAMESPACE}.svc.{zone}", f"svc.{zone}", zone]
        names = [d.strip(".").lower() for d in of_node]
        foreign = [d for d in dict.fromkeys(names) if d and d not in own][:MOST_DOMAINS]
        return cls(server, (*((d, False) for d in own), *((d, True) for d in foreign)))

    @property
    def packets(self) -> int:
        """Packets of one walk, with the look at the name itself."""
        return len(_PAIR) * (len(self.domains) + 2)

    def walks(self, packets: int) -> int:
        """How many walks fit."""
        return max(_LEAST_WALKS, min(_MOST_WALKS, packets // self.packets))

    async def measure(self, pace: Pace, count: int, patience: float) -> SearchCost:
        """Walk it so many times, spread over the pace; all walks end by two patiences behind it.

        A long list of slow domains takes longer than one question may.
        """
        end = pace.start + pace.span + 2 * patience
        walk = _Walks(self, end, patience, tuple(_Seen() for _ in self.domains))
        running = [asyncio.ensure_future(walk.once()) async for _ in pace.slots(count)]
        invented = await self._invented(patience) if any(n for _, n in self.domains) else ()
        await asyncio.gather(*running)
        await walk.complete()
        return walk.cost(invented)

    async def _invented(self, patience: float) -> tuple[str, ...]:
        """Addresses of a name that cannot exist: a resolver that lies gives some."""
        query = dns.message.make_query(f"{label()}.{_NOT_EXISTING}", "A")
        (outcome,) = await side_by_side(self.server, (query,), patience)
        return outcome.said.addresses if isinstance(outcome, Answer) else ()


@dataclass(slots=True)
class _Walks:
    path: SearchPath
    end: float  # time.monotonic()
    patience: float
    seen: tuple[_Seen, ...]
    queries: int = 0
    relative: list[float] = field(default_factory=list)
    absolute: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    async def once(self) -> None:
        """One name through the whole list, and one asked for itself."""
        alone = self._took(await self._ask(self._outside()))
        if alone is None:
            return
        self.absolute.append(alone)
        name = label()
        times: list[float] = []
        ended = False
        for (domain, _), seen in zip(self.path.domains, self.seen, strict=True):
            outcomes = await self._ask(f"{name}.{domain}.")
            found = seen.add(outcomes)
            took = self._took(outcomes)
            if took is None:
                return
            if not ended:  # the libc is content with the first address; we look further
                times.append(took)
            ended = ended or found
        if not ended:
            itself = self._took(await self._ask(self._outside()))
            if itself is None:
                return
            times.append(itself)
        self.queries = max(self.queries, len(times) * len(_PAIR))
        self.relative.append(round(sum(times), 3))

    async def complete(self) -> None:
        """Ask the node's domains that broken walks did not get to.

        Each question has a port of its own: where one of several DNS pods is dead, the Service sends
        some to the others. Of twelve, fewer than two reach the other of two pods once in 315 times.
        """
        places = zip(self.path.domains, self.seen, strict=True)
        lacking = [
            (domain, seen)
            for (domain, of_node), seen in places
            if of_node and len(seen.rtt_ms) < _ANSWERS
        ]
        for domain, seen in lacking[: 2 * self.path.packets // _MORE]:
            names = (f"{label()}.{domain}." for _ in range(_MORE))
            for outcomes in await asyncio.gather(*(self._ask(name, ("A",)) for name in names)):
                seen.add(outcomes)

    def _took(self, outcomes: list[Answer | str]) -> float | None:
        """Milliseconds until both answers were there; None where one is lacking, and is counted."""
        error = next((o for o in outcomes if isinstance(o, str)), None)
        if error:
            self.errors[error] += 1
            return None
        return max(_ms(o.nanoseconds) for o in outcomes if isinstance(o, Answer))

    async def _ask(self, name: str, kinds: Sequence[str] = _PAIR) -> list[Answer | str]:
        queries = [dns.message.make_query(name, kind) for kind in kinds]
        left = min(self.patience, self.end - time.monotonic())
        return await side_by_side(self.path.server, queries, max(0.0, left))

    def _outside(self) -> str:
        """A name that no cache knows and that leaves the cluster.

        Only the node's own domains may be asked for one; without any, the root itself is asked.
        """
        foreign = next((name for name, of_node in self.path.domains if of_node), None)
        return f"{label()}.{foreign}." if foreign else _ROOT

    def cost(self, invented: tuple[str, ...]) -> SearchCost:
        """All walks together."""
        return SearchCost(
            server=self.path.server.address,
            port=self.path.server.port,
            domains=tuple(
                SearchDomain(
                    domain=domain,
                    of_node=of_node,
                    asked=seen.asked,
                    rcodes=dict(sorted(seen.rcodes.items())),
                    errors=dict(sorted(seen.errors.items())),
                    addresses=tuple(seen.addresses),
                    rtt_ms=tuple(seen.rtt_ms),
                )
                for (domain, of_node), seen in zip(self.path.domains, self.seen, strict=True)
            ),
            queries=self.queries,
            relative_ms=tuple(self.relative),
            absolute_ms=tuple(self.absolute),
            errors=dict(sorted(self.errors.items())),
            invented=invented,
        )


def label() -> str:
    """A name that nobody has chosen, and that an administrator can recognise in a log."""
    return f"netdoctor-{secrets.token_hex(6)}"


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)
