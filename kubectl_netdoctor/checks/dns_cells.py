"""The matrix of DNS questions as checks read it: one server seen from one node, its cells by kind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_netdoctor.checks.base import PerNode
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes

ENOUGH = 3  # queries; fewer prove nothing
MOST = 0.9  # share of answers of a server that works
COMPACT = 512  # bytes that every UDP answer may have, RFC 1035
INSIDE = ("service", "endpoint")
OUTSIDE = ("upstream", "node-resolver")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one node saw of one server."""

    node: str
    server: str
    port: int
    role: str
    cells: tuple[DnsCell, ...]
    probes: tuple[DnsProbe, ...]

    @property
    def cell(self) -> tuple[str, str]:
        """The node that asked, and the server's address."""
        return self.node, self.server

    @property
    def plain(self) -> tuple[DnsCell, ...]:
        """The server's own question, without EDNS, alone."""
        return tuple(c for c in self._bare() if not c.paired and c.type != "AAAA")

    @property
    def aaaa(self) -> tuple[DnsCell, ...]:
        """AAAA of the same name, without EDNS, alone."""
        return tuple(c for c in self._bare() if not c.paired and c.type == "AAAA")

    @property
    def small(self) -> tuple[DnsCell, ...]:
        """Over UDP with EDNS, with a small answer, also to a large query."""
        return tuple(c for c in self._edns() if c.filler != "padding")

    @property
    def bulky(self) -> tuple[DnsCell, ...]:
        """Over UDP, a query as large as those for large answers, with a small answer."""
        return tuple(c for c in self._edns() if c.filler == "ignored")

    @property
    def large(self) -> tuple[DnsCell, ...]:
        """Over UDP, questions for large answers that may come whole."""
        return tuple(
            c for c in self._edns() if c.filler == "padding" and (c.payload or 0) > COMPACT
        )

    @property
    def over_tcp(self) -> tuple[DnsCell, ...]:
        """The same question for a large answer over TCP."""
        return tuple(c for c in self.cells if c.transport == "tcp")

    def _bare(self) -> Iterator[DnsCell]:
        return (c for c in self.cells if c.transport == "udp" and c.payload is None)

    def _edns(self) -> Iterator[DnsCell]:
        return (c for c in self.cells if c.transport == "udp" and c.payload is not None)

    @property
    def latencies(self) -> tuple[float, ...]:
        """Milliseconds of every plain answer over UDP."""
        probed = [ms for p in self.probes if p.transport == "udp" for ms in p.rtt_ms]
        return (*probed, *(ms for cell in self.plain for ms in cell.rtt_ms))


def seen(node: str, matrix: DnsMatrix, probes: DnsProbes | None) -> Iterator[Seen]:
    """Each server once, with what both probes saw of it."""
    keys = dict.fromkeys((c.role, c.server, c.port) for c in matrix.items)
    for role, server, port in keys:
        yield Seen(
            node=node,
            server=server,
            port=port,
            role=role,
            cells=tuple(
                c for c in matrix.items if (c.role, c.server, c.port) == (role, server, port)
            ),
            probes=tuple(
                p
                for p in (probes.items if probes else ())
                if (p.role, p.server, p.port) == (role, server, port)
            ),
        )


def of_all(matrix: PerNode[DnsMatrix], probes: PerNode[DnsProbes] | None) -> Iterator[Seen]:
    """Each server as each node saw it."""
    for name, fact in matrix.items():
        yield from seen(name, fact, probes.get(name) if probes else None)


def silent(cells: Sequence[DnsCell]) -> bool:
    """Whether enough was asked and nothing came."""
    return sum(c.sent for c in cells) >= ENOUGH and not any(c.answered for c in cells)


def works(cells: Iterable[DnsCell], rcodes: Sequence[str] = ()) -> bool:
    """Whether nearly all was answered, where rcodes are named with one of these."""
    kept = list(cells)
    sent = sum(c.sent for c in kept)
    good = sum(n for c in kept for r, n in c.rcodes.items() if not rcodes or r in rcodes)
    return sent >= 1 and good >= MOST * sent


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> str:
    """Median and tail, for people."""
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    return f"median {p50:.0f} ms, 95th percentile {p95:.0f} ms, n={len(values)}"


def counts(cells: Iterable[DnsCell]) -> str:
    """`3/3 answered (3 NOERROR)`, for people."""
    kept = list(cells)
    what: dict[str, int] = {}
    for cell in kept:
        for name, number in (*cell.rcodes.items(), *cell.errors.items()):
            what[name] = what.get(name, 0) + number
    detail = ", ".join(f"{n} {name}" for name, n in sorted(what.items()))
    return f"{sum(c.answered for c in kept)}/{sum(c.sent for c in kept)} answered ({detail})"
