"""How each scanned node reaches the API server: by each endpoint, and by the ClusterIP before them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.facts.probe import PathProbe, PathProbes, PathRole

ENOUGH = 3  # connections; fewer prove nothing


@dataclass(frozen=True, slots=True)
class ApiReach:
    """One node's TCP connections to the API server."""

    node: str
    endpoints: tuple[PathProbe, ...]
    services: tuple[PathProbe, ...]


def api_reach(probes: Mapping[str, PathProbes]) -> Iterator[ApiReach]:
    """Each node that tried often enough."""
    for name, fact in sorted(probes.items()):
        yield ApiReach(name, _of(fact.items, "api-server"), _of(fact.items, "api-service"))


def _of(items: Iterable[PathProbe], role: PathRole) -> tuple[PathProbe, ...]:
    return tuple(p for p in items if p.role == role and p.protocol == "tcp" and p.sent >= ENOUGH)


def numbers(probe: PathProbe) -> str:
    """What became of the connections."""
    errors = ", ".join(f"{n} {e}" for e, n in sorted(probe.errors.items()))
    text = f"{probe.address}:{probe.port}: {probe.received}/{probe.sent} connections"
    return f"{text} ({errors})" if errors else text


def kept(probe: PathProbe) -> bool:
    """Whether the node itself had no way for the packets, as without an IPv6 route."""
    own = ("no-route", "message-too-long", "EADDRNOTAVAIL", "EAFNOSUPPORT")
    return probe.sent > 0 and sum(probe.errors.get(e, 0) for e in own) == probe.sent
