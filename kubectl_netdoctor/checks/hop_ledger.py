"""Where the probes of a pair of nodes were seen: both nodes' captures as one ordered ledger.

The way out of the sender, the way into the receiver, and the same back for the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.checks.hop_steps import Protocol, Step, Steps
from kubectl_netdoctor.facts.hops import Hops, ProbeKind


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that were last seen at one step. `last` None: nowhere; `following` None: at the end.

    `whole`: both nodes listened, so that this is the very place and not merely the last one known.
    """

    pair: Pair
    kind: ProbeKind
    count: int
    sent: int
    last: Step | None
    following: Step | None
    whole: bool

    @property
    def on_wire(self) -> bool:
        """Whether they left the one node's NIC and did not come in at the other's."""
        return bool(
            self.whole
            and self.last
            and self.following
            and self.last.node != self.following.node
            and self.last.tap.role == self.following.tap.role == "nic"
        )

    @property
    def inside(self) -> str | None:
        """The node that they end in, None where they end between nodes or that is not known."""
        if self.last is None:
            return self.pair[0]
        if self.following is None:
            return self.last.node
        if self.last.answer != self.following.answer:
            return self.pair[1] if self.whole else None
        return self.last.node if self.last.node == self.following.node else None

    @property
    def way(self) -> Pair:
        """The direction in which they were lost, as far as it is known."""
        answer = self.last.answer if self.last else False
        return self.pair[::-1] if answer else self.pair


@dataclass(frozen=True, slots=True)
class Ledger:
    """All steps of one kind of probe of one directed pair, in order."""

    pair: Pair
    kind: ProbeKind
    steps: tuple[Step, ...]
    sent: int  # sequence numbers that can be compared, a bit for each
    whole: bool

    def losses(self) -> list[Loss]:
        """Where packets were seen for the last time and did not come through, most first."""
        watched = [s for s in self.steps if s.blind is None]
        if not watched or not self.sent:
            return []
        total = self.sent.bit_count()
        groups: Counter[int] = Counter()
        left = self.sent & ~watched[-1].seen
        for index in range(len(watched) - 2, -1, -1):
            here = left & watched[index].seen
            left &= ~here
            if here:
                groups[index] = here.bit_count()
        found = []
        own = [s for s in self.steps if s.node == self.pair[0] and not s.answer]
        if left and own and not any(s.blind for s in own):
            number = left.bit_count()
            found.append(Loss(self.pair, self.kind, number, total, None, own[0], whole=True))
        for index, count in groups.items():
            last = watched[index]
            after = self.steps[self.steps.index(last) + 1]
            whole = self.whole and after.blind is None
            found.append(Loss(self.pair, self.kind, count, total, last, after, whole))
        return sorted(found, key=lambda loss: -loss.count)

    def came_back(self) -> Loss | None:
        """Where all answers were seen on the sender's last interface: what is after that."""
        watched = [s for s in self.steps if s.blind is None]
        if not watched or not self.sent or self.sent & ~watched[-1].seen:
            return None
        number = self.sent.bit_count()
        return Loss(self.pair, self.kind, number, number, watched[-1], None, self.whole)

    def never_left(self) -> Loss | None:
        """What was sent and seen nowhere, not even on the sender's first interface."""
        own = [s for s in self.steps if s.node == self.pair[0] and not s.answer]
        if self.sent or not own or any(s.blind for s in own):
            return None
        return Loss(self.pair, self.kind, 0, 0, None, own[0], whole=True)


def ledger(
    hops: Mapping[str, Hops], pair: Pair, kind: ProbeKind, protocol: Protocol = "icmp"
) -> Ledger | None:
    """The ledger of a pair; None where its sender did not listen."""
    here, there = hops.get(pair[0]), hops.get(pair[1])
    if here is None:
        return None
    book = Steps(pair, kind, protocol)
    here, there = book.own(here), book.own(there) if there else None
    if pair[0] == pair[1]:
        return _on_one_node(book, here)
    steps = list(book.leaving(pair[0], pair[1], here, answer=False))
    sent = _numbered(_seen(steps), kind, protocol)
    common = book.common(here, there) if there else None
    whole = common is not None and bool(sent & common or not sent)
    if there is not None and common is not None and whole:
        sent &= common
        steps += book.entering(pair[1], pair[0], there, answer=False)
        steps += book.leaving(pair[1], pair[0], there, answer=True)
    steps += book.entering(pair[0], pair[1], here, answer=True)
    return Ledger(pair, kind, tuple(steps), sent, whole)


def _numbered(seen: int, kind: ProbeKind, protocol: Protocol) -> int:
    """The numbers that were sent, between the first and the last that were seen.

    Echo requests to one address are numbered one by one, so a gap was sent and not seen; the others
    share their numbers with other addresses.
    """
    if not seen or kind.endswith("-size") or protocol != "icmp":
        return seen
    return (1 << seen.bit_length()) - (seen & -seen)


def _on_one_node(book: Steps, fact: Hops) -> Ledger:
    """From the node to its own pod, and back."""
    node = book.pair[0]
    asked = tuple(book.entering(node, node, fact, answer=False))
    steps = (*asked, *book.leaving(node, node, fact, answer=True))
    return Ledger(book.pair, book.kind, steps, _seen(asked), whole=True)


def _seen(steps: Iterable[Step]) -> int:
    """Sequence numbers that were seen anywhere on these."""
    return reduce(int.__or__, (s.seen for s in steps), 0)
