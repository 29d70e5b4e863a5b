"""Adds the hop ledger's sentence to findings whose fault loses packets on known ways."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from kubectl_netdoctor.checks import hop_words
from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.checks.hop_ledger import Loss
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.hops import Hops, ProbeKind
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot

SHOWN = 2  # sentences of one finding: the fault itself is already known
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
    names = [report.name for report in snapshot.nodes]
    facts = {name: snapshot.node_fact(name, KEYS[Hops]) for name in names}
    hops = {name: fact for name, fact in facts.items() if isinstance(fact, Hops)}
    for finding in findings:
        kinds = KINDS.get(finding.id, ()) if hops else ()
        found = _losses(finding, kinds, hops, snapshot)
        more = hop_words.told(found)[:SHOWN]
        if more:
            finding = dataclasses.replace(finding, evidence=(*finding.evidence, *more))  # noqa: PLW2901
        yield finding


def _losses(
    finding: Finding, kinds: Iterable[ProbeKind], hops: Mapping[str, Hops], snapshot: Snapshot
) -> list[Loss]:
    """Places of the kind that says most: each is the same packets' way, or a part of it."""
    pairs = list(_pairs(finding, hops))
    for kind in kinds:
        silent = [p for p in pairs if _silent(snapshot, p, kind)]
        others = [p for p in pairs if p not in silent]
        found = [
            *hop_words.losses(hops, silent, kind, silent=True),
            *hop_words.losses(hops, others, kind),
        ]
        if found:
            return found
    return []


def _pairs(finding: Finding, hops: Mapping[str, Hops]) -> Iterator[Pair]:
    """The finding's own pairs both ways, else all that touch its nodes."""
    if finding.paths:
        yield from dict.fromkeys((*finding.paths, *(p[::-1] for p in finding.paths)))
        return
    peers = {way.peer for fact in hops.values() for way in fact.ways}
    every = sorted({*hops, *peers})
    both = ((a, b) for a, b in permutations(every, 2) if finding.nodes & {a, b})
    yield from (*((n, n) for n in sorted(finding.nodes)), *both)


def _silent(snapshot: Snapshot, pair: Pair, kind: ProbeKind) -> bool:
    """Whether such probes were sent and none was answered, nor refused by the node itself."""
    fact = snapshot.node_fact(pair[0], KEYS[PathProbes])
    if not isinstance(fact, PathProbes):
        return False
    return any(
        p.sent and not p.received and p.errors.get("timeout", 0) == p.sent
        for p in fact.items
        if (p.peer, p.role, p.protocol) == (pair[1], kind, "icmp")
    )
