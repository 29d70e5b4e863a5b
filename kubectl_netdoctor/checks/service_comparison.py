"""Programmed Service rules against wanted ones: every difference, sorted by what it does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kubectl_netdoctor.checks.service_backends import Wanted
from kubectl_netdoctor.checks.service_rules import CLUSTER_IP, Entry, Key, Programmed


class Kind(StrEnum):
    """What is wrong; the text follows a count in titles."""

    ABSENT = "without any rule"  # a Service that has backends and no rule
    REFUSED = "refused although ready"  # no backend programmed, the API lists some
    GONE = "dead backend"  # no EndpointSlice lists the address
    FOREIGN = "foreign backend"  # another Service's
    UNREADY = "backend that is not ready"
    LACKING = "missing backend"
    NODE_PORT = "missing node port"
    ORPHAN = "rule of a deleted Service"


CUTTING = frozenset({Kind.ABSENT, Kind.REFUSED, Kind.GONE, Kind.FOREIGN, Kind.NODE_PORT})
"""What makes requests fail, at once or by chance; the rest only uses other backends than it should."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of one Service port; `backend` where it is about one."""

    kind: Kind
    port_name: str
    where: str  # address:port/PROTOCOL that clients use
    backend: str | None
    text: str

    @property
    def service(self) -> str:
        """`namespace/name`."""
        return self.port_name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Context:
    """What the whole cluster knows, to tell a dead address from somebody else's."""

    addresses: frozenset[str]  # of every endpoint of every EndpointSlice, without ports
    services: frozenset[str]  # namespace/name of every Service, those made meanwhile included
    hinted: frozenset[str]  # Services whose endpoints carry topology hints


def compare(have: Programmed, want: dict[Key, Wanted], context: Context) -> Iterator[Difference]:
    """All differences; a Service whose rules are younger than the window is left out."""
    for key, wish in want.items():
        entry = have.entries.get(key)
        if entry is None:
            # Without backends a missing REJECT only makes a refusal a time-out.
            if wish.backends:
                text = f"{wish.port_name} ({_where(key)}) has no rule"
                yield Difference(Kind.ABSENT, wish.port_name, _where(key), None, text)
        elif not entry.young and entry.readable and entry.backends != wish.backends:
            yield from _backends(key, entry, wish, context)
        yield from _node_port(key, wish, have)
    for key, entry in have.entries.items():
        if key not in want and entry.kind == CLUSTER_IP and not entry.young:
            yield from _orphan(key, entry, context)


def _backends(key: Key, entry: Entry, wish: Wanted, context: Context) -> Iterator[Difference]:
    where, name = _where(key), wish.port_name
    lacking = sorted(wish.backends - entry.backends)
    if lacking and not entry.backends:
        how = "is refused" if entry.refused else "leads nowhere"
        text = f"{name} ({where}) {how}, the API lists {_list(lacking)} as ready"
        yield Difference(Kind.REFUSED, name, where, None, text)
        return
    for backend in sorted(entry.backends - wish.backends):
        kind, why = _extra(backend, wish, context)
        share = f"1 of {len(entry.backends)}" if len(entry.backends) > 1 else "all"
        text = f"{name} ({where}) sends {share} connections to {backend}, {why}"
        yield Difference(kind, name, where, backend, text)
    # By topology hints a node uses only some of the ready backends.
    if wish.service in context.hinted and entry.backends & wish.backends:
        return
    for backend in lacking:
        text = f"{name} ({where}) does not use {backend}, which is ready"
        yield Difference(Kind.LACKING, name, where, backend, text)


def _extra(backend: str, wish: Wanted, context: Context) -> tuple[Kind, str]:
    if backend in wish.listed:
        return Kind.UNREADY, "which is not ready or not for this node"
    if backend.rpartition(":")[0].strip("[]") in context.addresses:
        return Kind.FOREIGN, "which is no endpoint of this Service port"
    return Kind.GONE, "an address that no EndpointSlice lists"


def _node_port(key: Key, wish: Wanted, have: Programmed) -> Iterator[Difference]:
    if wish.node_port is None or not wish.backends:
        return
    if (key[1], wish.node_port) not in have.node_ports:
        where = f"node port {wish.node_port}/{key[1]}"
        text = f"{wish.port_name}: {where} has no rule"
        yield Difference(Kind.NODE_PORT, wish.port_name, where, None, text)


def _orphan(key: Key, entry: Entry, context: Context) -> Iterator[Difference]:
    if entry.service in context.services:
        return  # a port that was just taken away, or a Service that was just made
    text = f"{entry.port_name} ({_where(key)}) has rules, the API has no such Service"
    yield Difference(Kind.ORPHAN, entry.port_name, _where(key), None, text)


def _where(key: Key) -> str:
    address = f"[{key[0]}]" if ":" in key[0] else key[0]
    return f"{address}:{key[2]}/{key[1]}"


def _list(backends: Collection[str]) -> str:
    shown = ", ".join(list(backends)[:3])
    return f"{shown} and {len(backends) - 3} more" if len(backends) > 3 else shown
