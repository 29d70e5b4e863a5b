"""The fleet view: what nodes that are alike should have in common, the majority and the outliers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.analysis.pools import pool
from kubectl_netdoctor.analysis.trait_values import Alike, Asked, Known, asked, known_of
from kubectl_netdoctor.checks.majority import usual
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Kernel


@dataclass(frozen=True, slots=True)
class Majority:
    """What at least two thirds of at least three nodes of one pool have, and who differs."""

    pool: str
    value: str
    nodes: tuple[str, ...]  # that have it
    outliers: Mapping[str, str]  # their own values

    @property
    def known(self) -> int:
        """Nodes of the pool whose value is known."""
        return len(self.nodes) + len(self.outliers)


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of all nodes. `unknown`: nodes whose value is not known; they are no outliers."""

    group: str
    name: str
    values: Mapping[str, str]
    unknown: tuple[str, ...]
    majorities: tuple[Majority, ...]  # one for each pool that has one

    @property
    def outliers(self) -> dict[str, str]:
        """Values of the nodes that differ from the majority of their pool."""
        return {n: v for majority in self.majorities for n, v in majority.outliers.items()}

    def of(self, node: str) -> Majority | None:
        """The majority that a node is held against."""
        return next((m for m in self.majorities if node in m.outliers or node in m.nodes), None)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All traits that any node has, in the order of reports, and the pools with their nodes."""

    traits: tuple[Trait, ...]
    pools: Mapping[str, tuple[str, ...]]

    @property
    def odd(self) -> tuple[Trait, ...]:
        """Traits in which a node differs from the majority of its pool."""
        return tuple(t for t in self.traits if any(m.outliers for m in t.majorities))


def fleet(snapshot: Snapshot) -> Fleet:
    """Compare all nodes that were asked. Pure; the order of nodes does not matter."""
    known = known_of(snapshot)
    names = {n: pool(k.info, k.fact(Kernel)) for n, k in sorted(known.items())}
    pools: dict[str, list[str]] = {}
    for node, name in names.items():
        if name is not None:
            pools.setdefault(name, []).append(node)
    traits = (_trait(a, known, names) for a in asked(known))
    return Fleet(
        tuple(t for t in traits if t.values), {p: tuple(n) for p, n in sorted(pools.items())}
    )


def _trait(wanted: Asked, known: Mapping[str, Known], names: Mapping[str, str | None]) -> Trait:
    values = {n: v for n, k in known.items() if (v := wanted.read(k)) is not None}
    alike: dict[str, dict[str, str]] = {}
    for node in sorted(values):
        if (group := _group(wanted.alike, known[node], names[node])) is not None:
            alike.setdefault(group, {})[node] = values[node]
    return Trait(
        wanted.group,
        wanted.name,
        values,
        tuple(sorted(known.keys() - values.keys())),
        tuple(_majorities(alike)),
    )


def _group(alike: Alike, known: Known, name: str | None) -> str | None:
    """Which nodes this one is compared with; None: with none."""
    if alike is Alike.NEVER or name is None:
        return None
    if alike is Alike.POOL:
        return name
    kernel = known.fact(Kernel)
    return f"{name}, {kernel.cpus} CPUs" if kernel else None


def _majorities(alike: Mapping[str, Mapping[str, str]]) -> Iterator[Majority]:
    for name, values in sorted(alike.items()):
        value = usual(values.values())
        if value is not None:
            same = tuple(n for n, v in values.items() if v == value)
            yield Majority(name, value, same, {n: v for n, v in values.items() if v != value})
