"""Who is at fault when directed pairs fail: a sender, a receiver, a pair, or everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks.base import CLUSTER, Subject, node

Pair = tuple[str, str]
EVERYBODY = "between all nodes"


@dataclass(frozen=True, slots=True)
class Blame:
    """One culprit with the failing pairs that it accounts for; `node` None: the pairs themselves."""

    node: str | None
    pairs: tuple[Pair, ...]
    words: str

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The culprit as subjects of a finding."""
        if self.node:
            return (node(self.node),)
        if self.words == EVERYBODY:
            return (CLUSTER,)
        return tuple(node(n) for n in self.members)

    @property
    def members(self) -> tuple[str, ...]:
        """All nodes of the failing pairs."""
        return tuple(sorted({n for pair in self.pairs for n in pair}))

    def partners(self, name: str) -> tuple[str, ...]:
        """The other ends of one node's failing pairs."""
        return tuple(sorted({n for p in self.pairs if name in p for n in p} - {name}))


def blame(failing: Collection[Pair], tested: Collection[Pair]) -> Iterator[Blame]:
    """Split failing pairs into culprits, fewest first.

    A node is a culprit when every tested pair that touches it fails and there are at least two
    different partners; otherwise the pairs stand for themselves. When every tested pair fails and
    more than two nodes were tested from, there is one shared cause and no node is named.
    """
    rest = set(failing)
    senders = {a for a, _ in tested}
    if rest and rest == set(tested) and len(senders) > 2:
        yield Blame(None, tuple(sorted(rest)), EVERYBODY)
        return
    while rest:
        best = max(
            _candidates(rest, failing, tested), key=lambda c: (len(c[1]), c[0]), default=None
        )
        if best is None:
            break
        name, pairs = best
        # Once a node is at fault, what else fails and touches it needs no second culprit.
        pairs |= {p for p in rest if name in p}
        yield Blame(name, tuple(sorted(pairs)), _words(name, pairs))
        rest -= pairs
    pairs_left = sorted(rest)
    while pairs_left:
        first = pairs_left[0]
        both = [p for p in pairs_left if p in (first, first[::-1])]
        arrow = "<->" if len(both) == 2 else "->"
        yield Blame(None, tuple(both), f"{first[0]} {arrow} {first[1]}")
        pairs_left = [p for p in pairs_left if p not in both]


def _candidates(
    rest: set[Pair], failing: Collection[Pair], tested: Collection[Pair]
) -> Iterator[tuple[str, set[Pair]]]:
    """Nodes whose pairs all fail, with those pairs that are not yet accounted for."""
    for name in sorted({n for pair in rest for n in pair}):
        out = {p for p in tested if p[0] == name}
        back = {p for p in tested if p[1] == name}
        for touching in (out | back, out, back):
            partners = {n for p in touching for n in p} - {name}
            if len(partners) > 1 and touching <= set(failing) and touching & rest:
                yield name, touching & rest
                break


def _words(name: str, pairs: Collection[Pair]) -> str:
    partners = ", ".join(sorted({n for p in pairs for n in p} - {name}))
    sends = any(a == name for a, _ in pairs)
    receives = any(b == name for _, b in pairs)
    if sends and receives:
        return f"{name} from and to {partners}"
    return f"{name} to {partners}" if sends else f"{partners} to {name}"
