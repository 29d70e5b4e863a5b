"""Adds the hop ledger's sentence to findings whose fault loses packets on known ways."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from kubectl_netdoctor.checks import hop_words
from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.checks.hop_ledger import Loss
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.hops import Hops, ProbeKind, place_of
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot

F = TypeVar("F")

SHOWN = 2  # sentences of one finding: the fault itself is already known
PAIRS = 64  # of one finding that are looked at: the sentences come from the first ones
_OVERLAY: tuple[ProbeKind, ...] = ("overlay",)
_PODS: tuple[ProbeKind, ...] = ("pod", "pod-overlay", "node-pod")
_SIZES: tuple[ProbeKind, ...] = ("node-size", "overlay-size")
KINDS: Mapping[str, tuple[ProbeKind, ...]] = {
    "ENC-04": _OVERLAY,
    "ENC-05": _OVERLAY,
    "ENC-06": _OVERLAY,
    "ENC-07": _OVERLAY,
    "ENC-08": _OVERLAY,
    "RTE-01": (*_OVERLAY, *_PODS),
    "RTE-02": (*_OVERLAY, *_PODS),
    "RTE-08": ("node", *_OVERLAY, *_PODS),
    "RTE-09": _PODS,
    "RTE-13": _PODS,
    "NF-01": _PODS,
    "NF-04": _PODS,
    "API-09": ("pod-node", *_PODS),
    "DNS-21": _PODS,
    "MTU-02": _SIZES,
    "MTU-03": _SIZES,
    "MTU-04": _SIZES,
}
"""Which probes a fault takes. ENC-01 and NIC-03 are made of the ledger and say it themselves."""


def with_last_seen(findings: Iterable[Finding], snapshot: Snapshot) -> Iterator[Finding]:
    """The findings, with the places at which their packets were last seen as further evidence."""
    hops = _facts(snapshot, Hops)
    silent = set(_silent(_facts(snapshot, PathProbes)))
    pairs = _Pairs(hops, {pair for pair, _ in silent})
    for finding in findings:
        kinds = KINDS.get(finding.id, ()) if hops else ()
        found = _losses(
            list(islice(pairs.of(finding), PAIRS)) if kinds else [], kinds, hops, silent
        )
        more = hop_words.told(found)[:SHOWN]
        if more:
            finding = dataclasses.replace(finding, evidence=(*finding.evidence, *more))  # noqa: PLW2901
        yield finding


def _facts(snapshot: Snapshot, cls: type[F]) -> dict[str, F]:
    """One fact of all nodes that have it."""
    facts = {r.name: snapshot.node_fact(r.name, KEYS[cls]) for r in snapshot.nodes}
    return {name: fact for name, fact in facts.items() if isinstance(fact, cls)}


def _losses(
    pairs: list[Pair],
    kinds: Iterable[ProbeKind],
    hops: Mapping[str, Hops],
    silent: Collection[tuple[Pair, str]],
) -> list[Loss]:
    """Places of the kind that says most: each is the same packets' way, or a part of it."""
    for kind in kinds:
        dead = [p for p in pairs if (p, kind) in silent]
        others = [p for p in pairs if (p, kind) not in silent]
        found = [
            *hop_words.losses(hops, dead, kind, silent=True),
            *hop_words.losses(hops, others, kind),
        ]
        if found:
            return found
    return []


class _Pairs:
    """The pairs that probes of this run went on, by their ends: others have nothing to tell."""

    def __init__(self, hops: Mapping[str, Hops], silent: Collection[Pair]) -> None:
        peers = {way.peer for fact in hops.values() for way in fact.ways}
        names = {place_of(name): name for name in sorted({*hops, *peers})}
        self._probed = {pair for pair in silent if pair[0] in hops}
        for sender, fact in hops.items():
            seen = {s.receiver for s in fact.sightings if s.sender == place_of(sender)}
            self._probed |= {(sender, names[place]) for place in seen if place in names}
        self._at: dict[str, set[Pair]] = defaultdict(set)
        for pair in self._probed:
            for name in pair:
                self._at[name].add(pair)

    def of(self, finding: Finding) -> Iterator[Pair]:
        """The finding's own pairs both ways, else all that touch its nodes."""
        if finding.paths:
            both = dict.fromkeys((*finding.paths, *(p[::-1] for p in finding.paths)))
            return (pair for pair in both if pair in self._probed)
        touching = {pair for name in finding.nodes for pair in self._at.get(name, ())}
        return iter(sorted(touching, key=lambda pair: (pair[0] != pair[1], pair)))


def _silent(probes: Mapping[str, PathProbes]) -> Iterator[tuple[Pair, str]]:
    """Pairs and kinds of which probes were sent and none was answered, nor refused by the node."""
    for name, fact in probes.items():
        for p in fact.items:
            lost = p.sent and not p.received and p.errors.get("timeout", 0) == p.sent
            if lost and p.peer and p.protocol == "icmp":
                yield (name, p.peer), p.role
