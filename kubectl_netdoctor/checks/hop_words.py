"""The hop ledger in sentences, for the evidence of findings about lost packets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.checks.hop_ledger import Loss, ledger
from kubectl_netdoctor.checks.hop_steps import Protocol, Step
from kubectl_netdoctor.facts.hops import Hops, ProbeKind

SHOWN = 4  # sentences of one finding
_PLACES = 2  # of one pair
_LEAST = 3  # packets lost at one place
_WHERE: dict[ProbeKind, str] = {
    "node": "on the underlay",
    "node-size": "on the underlay",
    "overlay": "through the tunnel",
    "overlay-size": "through the tunnel",
    "pod": "from pod to pod",
    "pod-overlay": "from a pod to the tunnel's end",
    "pod-node": "from a pod to the node",
    "node-pod": "from the node to a pod",
}
_SENTENCE = re.compile(rf"(\d+ of \d+ )?probes \S+ to \S+ ({'|'.join(_WHERE.values())}): ")


def losses(
    hops: Mapping[str, Hops] | None,
    pairs: Iterable[Pair],
    kind: ProbeKind,
    protocol: Protocol = "icmp",
    *,
    silent: bool = False,
) -> list[Loss]:
    """Where the packets of these pairs were last seen; nothing where that is not known.

    `silent`: the pairs are those of which the prober itself got no answer at all.
    """
    found: list[Loss] = []
    for pair in pairs:
        book = ledger(hops, pair, kind, protocol) if hops else None
        if book is None:
            continue
        kept = (book.never_left() or book.came_back()) if silent else None
        lost = [kept] if kept else book.losses()
        found += [x for x in lost if x.last is None or x.count >= min(_LEAST, x.sent)][:_PLACES]
    return sorted(found, key=lambda loss: not loss.whole)


def told(found: Iterable[Loss]) -> tuple[Evidence, ...]:
    """One sentence for each place at which packets were last seen."""
    return tuple(dict.fromkeys(evidence(loss) for loss in list(found)[:SHOWN]))


def evidence(loss: Loss) -> Evidence:
    """The sentence, made where the packets were last seen."""
    where = loss.last.node if loss.last else loss.pair[0]
    return Evidence(sentence(loss), where)


def sentence(loss: Loss) -> str:
    """`20 of 20 probes n1 to n3 through the tunnel: last seen leaving n1 eth0, never …`."""
    number = f"{loss.count} of {loss.sent} probes" if loss.sent else "probes"
    what = f"{number} {loss.pair[0]} to {loss.pair[1]} {_WHERE[loss.kind]}"
    return f"{what}: {place(loss)}{_sizes(loss)}"


def is_told(said: Evidence) -> bool:
    """Whether a piece of evidence is such a sentence."""
    return _SENTENCE.match(said.text) is not None


def _sizes(loss: Loss) -> str:
    """How large the probes were whose size decides."""
    last, following = loss.last, loss.following
    if not loss.kind.endswith("-size") or last is None or following is None:
        return ""
    passed = f"; the largest that did has {following.largest}" if following.largest else ""
    return f" (up to {last.largest} bytes{passed})"


def place(loss: Loss) -> str:
    """Where the packets were last seen, and where not any more."""
    last, following = loss.last, loss.following
    if last is None:
        return f"never seen on {following.name if following else loss.pair[0]}"
    if following is None:
        return f"answered; the answers came back to {_named(last)} and end inside {last.node}{_foreign(last)}"
    if last.answer and following.answer:
        return f"answered; the answer was last seen {_at(last)}, {_not(last, following)}"
    if last.answer != following.answer:
        if not loss.whole:
            return (
                f"last seen {_at(last)}, no answer came back to {following.name} "
                f"({loss.pair[1]} did not listen meanwhile)"
            )
        return f"arrived at {_named(last)}, no answer seen leaving {following.name}{_foreign(last)}"
    return f"last seen {_at(last)}, {_not(last, following)}"


def _at(step: Step) -> str:
    words = "leaving" if step.way == "out" else "arriving at"
    if step.tap.role in ("port", "bridge"):
        words = "on"
    return f"{words} {_named(step)}{_foreign(step)}"


def _named(step: Step) -> str:
    return f"{step.name} ({step.around})" if step.around else step.name


def _not(last: Step, following: Step) -> str:
    if following.blind is not None:
        return f"{following.name} could not be watched ({following.blind})"
    if last.node != following.node:
        return f"never arrived at {following.name}"
    return f"never on {following.interface}"


def _foreign(step: Step) -> str:
    return ", addressed to another MAC than its own" if step.foreign else ""


def explained(found: Collection[Loss]) -> Evidence | None:
    """What the places mean where no rule is known to drop, None where they do not say one thing."""
    found = [loss for loss in found if loss.whole]
    if not found:
        return None
    if all(loss.on_wire for loss in found):
        return Evidence(
            "nothing on either node drops these packets: look at the switch, the security group or "
            "the provider"
        )
    nodes = {loss.inside for loss in found}
    name = next(iter(nodes))
    if len(nodes) > 1 or name is None:
        return None
    return Evidence(
        f"they end inside {name}, where no rule that could be read takes them: nft hooks of devices "
        "(ingress, egress), tables raw and mangle, tc, eBPF, rp_filter",
        name,
    )


def one_way(found: Iterable[Loss]) -> str:
    """` (one way: n1 to n3)` where all was lost in one direction, else nothing."""
    found = list(found)
    ways = {loss.way for loss in found if loss.whole}
    if not ways or any(way[::-1] in ways for way in ways):
        return ""
    if not {frozenset(loss.pair) for loss in found} <= {frozenset(way) for way in ways}:
        return ""  # others lose too, and nobody knows which way
    senders, receivers = ({way[side] for way in ways} for side in (0, 1))
    if len(senders) > 1 and len(receivers) > 1:
        return ""
    return f" (lost on the way {', '.join(sorted(senders))} to {', '.join(sorted(receivers))})"
