"""Why a row ranks where it does, in words: from the keys of the order and from the folding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from kubectl_netdoctor.analysis.ranking import (
    LADDER,
    Place,
    Ranked,
    Reach,
    explaining,
    reach,
    rung,
    sort_key,
)
from kubectl_netdoctor.checks.base import Check, Confidence

SHOWN = 4  # names in one sentence
AREAS = {
    "NIC": "links between nodes",
    "CLD": "the provider's network",
    "RTE": "addresses and routes",
    "NF": "packet filters",
    "ENC": "the tunnels between nodes",
    "CAL": "Calico",
    "CIL": "Cilium",
    "MTU": "packet sizes",
    "CT": "connection tracking",
    "CNI": "the network plugin",
    "SVC": "Services",
    "POL": "network policies",
    "V6": "IPv6",
    "DNS": "names",
    "API": "the way to the API server",
    "NODE": "the node itself",
    "TCP": "TCP",
    "MSH": "the service mesh",
    "ING": "ingress",
    "TGT": "places that were named",
}
SURE = {
    Confidence.CERTAIN: "it cannot be otherwise",
    Confidence.LIKELY: "it fits better than anything else",
    Confidence.POSSIBLE: "a lead",
}


def standing(rows: Sequence[Ranked], index: int, checks: Mapping[str, Check]) -> tuple[str, ...]:
    """Sentences: what it stands under or explains, its keys, and what parts it from its neighbours."""
    row = rows[index]
    said = [folding(rows, row, checks), keys(rows, row)]
    if index > 0:
        said.append(f"below {label(rows, index - 1)}: {parted(rows[index - 1], row)}")
    if index + 1 < len(rows):
        said.append(f"above {label(rows, index + 1)}: {parted(row, rows[index + 1])}")
    return tuple(said)


def label(rows: Sequence[Ranked], index: int) -> str:
    """How a sentence names another row."""
    return f"row {index + 1} ({rows[index].finding.id})"


def labels(rows: Sequence[Ranked], wanted: Collection[str]) -> str:
    """How a sentence names the rows with these keys."""
    return some([label(rows, i) for i, r in enumerate(rows) if r.finding.key in wanted])


def some(names: Iterable[str]) -> str:
    """Names, the first of them where they are many."""
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def folding(rows: Sequence[Ranked], row: Ranked, checks: Mapping[str, Check]) -> str:
    """Whether it is a cause, or under which row it stands and why its places are that row's."""
    if row.caused_by is None:
        under = labels(rows, row.explains)
        return "a cause: no other finding explains it" + (f"; it explains {under}" if under else "")
    stands = f"stands under {labels(rows, {row.caused_by}) or row.caused_by}"
    helpers = explainers(rows, row, checks)
    if len(helpers) > 1:
        named = some([_label_of(rows, r) for r in helpers])
        return (
            f"{stands}: {named} explain {row.finding.id} together, and each place where this was "
            "seen is a place of one of them"
        )
    if not helpers:
        return f"{stands}, which explains it"
    near = helpers[0]
    way = "" if near.finding.key == row.caused_by else f" by way of {_label_of(rows, near)}"
    return f"{stands}{way}: {near.finding.id} explains {row.finding.id}, and {_reached(near, row)}"


def explainers(rows: Sequence[Ranked], row: Ranked, checks: Mapping[str, Check]) -> list[Ranked]:
    """What explains a folded row: one row of its family, or several rows that do so together."""
    able = explaining(row.finding, (r.finding for r in rows), checks)
    known = [r for r in rows if any(r.finding is f for f in able)]
    if not any(reach(r.finding, row.finding) for r in known):
        return known
    family = [r for r in known if row.caused_by in (r.finding.key, r.caused_by)]
    return sorted(family, key=lambda r: r.caused_by is not None)[:1]


def _label_of(rows: Sequence[Ranked], row: Ranked) -> str:
    return label(rows, next(i for i, r in enumerate(rows) if r is row))


def _reached(cause: Ranked, row: Ranked) -> str:
    """Why `covers` holds."""
    nodes = some(sorted(cause.finding.nodes))
    match reach(cause.finding, row.finding):
        case Reach.PAIRS:
            pairs = some(f"{a} to {b}" for a, b in row.finding.paths)
            return f"all pairs of nodes on which this was seen are pairs of its own: {pairs}"
        case Reach.ENDS:
            return f"every pair of nodes on which this was seen has an end on {nodes}"
        case Reach.NODES:
            return f"all nodes on which this was seen are nodes of its own: {nodes}"
        case _:
            return "it names no node, so that it is the whole cluster's"


def keys(rows: Sequence[Ranked], row: Ranked) -> str:
    """What it is ranked by, in the order of weight."""
    finding = row.finding
    severity = f"severity {row.severity.value}, its own"
    if row.raised_from is not None:
        worse = {
            r.finding.key
            for r in rows
            if r.finding.key in row.explains and r.severity is row.severity
        }
        by = labels(rows, worse) or "something that it explains"
        severity = f"severity {row.severity.value}, raised from {row.raised_from.value} by {by}"
    sure = f"confidence {finding.confidence.value} ({SURE[finding.confidence]})"
    place = f"rung {rung(finding) + 1} of {len(LADDER)} of the ladder, {on_ladder(row)}"
    count = len(finding.subjects)
    return f"{severity}; {sure}; {place}; {count} {'subject' if count == 1 else 'subjects'}"


def on_ladder(row: Ranked) -> str:
    """The name of its rung, and what that is about."""
    area = row.finding.id.partition("-")[0]
    return f"{area} ({AREAS[area]})" if area in AREAS else area


def parted(first: Ranked, second: Ranked) -> str:
    """The first key on which two neighbours differ: why the one stands before the other."""
    if (first.caused_by is None) != (second.caused_by is None):
        return "causes stand before what they explain"
    here, there = sort_key(first.finding), sort_key(second.finding)
    for name, one, other in zip(Place._fields, here, there, strict=True):
        if one != other:
            return PARTED[name](first, second)
    return "equal in all that is compared"


PARTED: dict[str, Callable[[Ranked, Ranked], str]] = {
    "severity": lambda a, b: f"{a.severity.value} is worse than {b.severity.value}",
    "confidence": lambda a, b: (
        f"equally severe, and {a.finding.confidence.value} stands before "
        f"{b.finding.confidence.value}"
    ),
    "rung": lambda a, b: (
        f"equally severe and sure, and {on_ladder(a)} is beneath {on_ladder(b)}: "
        "what is beneath breaks what stands on it"
    ),
    "subjects": lambda a, b: (
        f"equal up to the rung, and {len(a.finding.subjects)} subjects stand before "
        f"{len(b.finding.subjects)}"
    ),
    "id": lambda _a, _b: "equal in all that weighs, so they stand in the order of their IDs",
    "where": lambda _a, _b: "equal in all that weighs, so they stand in the order of their places",
    "title": lambda _a, _b: "equal in all that weighs, so they stand in the order of their titles",
}
"""A sentence for each key of the order."""
