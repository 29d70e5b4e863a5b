"""What a verdict must not pass over: checks that did not run, and paths that nobody measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from kubectl_netdoctor.analysis.engine import Covered, Errored, Found, Passed, Skipped
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot

REASONS = 2  # of one sentence; the others are counted
LONGEST = 60  # characters of a reason


def nowhere(coverage: Sequence[Covered]) -> dict[str, str]:
    """Checks that ran on no node, with the reason that most of their cells give."""
    ran = _ran(coverage)
    return _reasons(c for c in coverage if c.check.id not in ran)


def partly(
    gaps: Sequence[Covered], blind: Mapping[str, str], coverage: Sequence[Covered]
) -> dict[str, str]:
    """Checks that ran, but not wherever they were wanted, with the reason."""
    ran = _ran(coverage)
    return {
        **{i: _brief(reason) for i, reason in blind.items() if i in ran},
        **_reasons(c for c in gaps if c.check.id in ran),
    }


def blind(
    snapshot: Snapshot, coverage: Sequence[Covered], reasons: Container[Reason]
) -> dict[str, str]:
    """Checks of the whole cluster that ran without the fact of a node which answered, and why.

    `reasons`: those that leave the verdict open.
    """
    seen: dict[str, str | None] = {}
    found: dict[str, str] = {}
    for cell in coverage:
        for need in cell.check.needs.values():
            if not need.per_node or cell.node is not None:
                continue
            key = KEYS[need.type]
            if key not in seen:
                seen[key] = _unread(snapshot, key, reasons)
            if (reason := seen[key]) is not None:
                found.setdefault(cell.check.id, reason)
    return found


def _unread(snapshot: Snapshot, key: str, reasons: Container[Reason]) -> str | None:
    """Why a node which answered lacks a fact; None where all have it, or lack it for good."""
    envelopes = [n.envelope for n in snapshot.nodes if n.envelope] if snapshot.knew(key) else []
    facts = (envelope.get(key) for envelope in envelopes)
    lacking = (f for f in facts if isinstance(f, Missing) and f.reason in reasons)
    return next((fact.detail for fact in lacking), None)


def _ran(coverage: Sequence[Covered]) -> set[str]:
    return {c.check.id for c in coverage if isinstance(c.outcome, Passed | Found)}


def _reasons(cells: Iterable[Covered]) -> dict[str, str]:
    said: dict[str, Counter[str]] = {}
    for cell in cells:
        match cell.outcome:
            case Skipped(_, missing):
                said.setdefault(cell.check.id, Counter())[_brief(missing.detail)] += 1
            case Errored():
                said.setdefault(cell.check.id, Counter())["they broke"] += 1
    return {check_id: reasons.most_common(1)[0][0] for check_id, reasons in said.items()}


def _brief(reason: str) -> str:
    """The first clause of a reason."""
    for mark in (": ", "; ", " ("):
        reason = reason.partition(mark)[0]
    return reason if len(reason) <= LONGEST else reason[: LONGEST - 3] + "..."


def told(reasons: Mapping[str, str]) -> str:
    """The reasons of some checks, most frequent first; each with its number where there are several."""
    counts = Counter(reasons.values()).most_common()
    if len(counts) == 1:
        return counts[0][0]
    said = [f"{reason} ({count})" for reason, count in counts[:REASONS]]
    if rest := sum(count for _, count in counts[REASONS:]):
        said.append(f"other reasons ({rest})")
    return ", ".join(said)


def paths(snapshot: Snapshot, coverage: Sequence[Covered]) -> str | None:
    """A sentence where no probe went from one node to another though checks asked; else None."""
    nodes = snapshot.cluster_fact(KEYS[Nodes])
    alone = isinstance(nodes, Nodes) and len(nodes.items) < 2
    wanted = {need.type for cell in coverage for need in cell.check.needs.values()}
    if alone or not wanted & {PathProbes, PodProbes}:
        return None
    if not any(_between_nodes(snapshot)):
        return "no path between nodes was measured"
    if PodProbes in wanted and not any(_between_pods(snapshot)):
        return "no path between pods of different nodes was measured"
    return None


def _between_nodes(snapshot: Snapshot) -> Iterator[bool]:
    for report in snapshot.nodes:
        fact = snapshot.node_fact(report.name, KEYS[PathProbes])
        items = fact.items if isinstance(fact, PathProbes) else ()
        yield from (p.sent > 0 and p.peer not in (None, report.name) for p in items)


def _between_pods(snapshot: Snapshot) -> Iterator[bool]:
    for report in snapshot.nodes:
        fact = snapshot.node_fact(report.name, KEYS[PodProbes])
        for p in fact.items if isinstance(fact, PodProbes) else ():
            other = p.vantage == "pod" and p.role == "companion"
            yield other and p.sent > 0 and p.peer not in (None, report.name)
