"""So many findings of one check that nobody reads them: the first ones, and one for all others."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence

from kubectl_netdoctor.analysis.ranking import merge_key, sort_key
from kubectl_netdoctor.checks.base import CLUSTER, Evidence, Finding, Fix, node

MOST = 100  # rows of one check: a broken node in a large cluster has fewer
NAMED = 5  # of the others


def crowded(findings: Iterable[Finding]) -> list[Finding]:
    """At most MOST rows of each check, the first in rank, and one that stands for its others."""
    rows: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    kept: list[Finding] = []
    others: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=sort_key):
        known, key = rows[finding.id], merge_key(finding)
        if key in known or len(known) < MOST:
            known.add(key)
            kept.append(finding)
        else:
            others[finding.id].append(finding)
    return [*kept, *(rest(found) if len(found) > 1 else found[0] for found in others.values())]


def rest(found: Sequence[Finding]) -> Finding:
    """One finding for many of one check, at all of their places; no surer than any of them."""
    nodes = sorted({name for f in found for name in f.nodes})
    paths = dict.fromkeys(path for f in found for path in f.paths)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    named = "; ".join(f"{f.title} ({f.scope})" if f.scope else f.title for f in found[:NAMED])
    return dataclasses.replace(
        found[0],
        title=f"{found[0].title}, and {len(found) - 1} more like it",
        evidence=(Evidence(named + more),),
        confidence=max((f.confidence for f in found), key=lambda c: c.rank),
        subjects=tuple(node(n) for n in nodes) if all(f.nodes for f in found) else (CLUSTER,),
        paths=tuple(paths) if all(f.paths for f in found) else (),
        scope=f"on {len(nodes)} nodes" if nodes else "the whole cluster",
        fix=Fix("Mend the ones that are shown first: most faults in such numbers have one cause."),
    )
