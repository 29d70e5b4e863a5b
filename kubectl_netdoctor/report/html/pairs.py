"""One pair of nodes in detail: what was sent, which sizes passed, and the hop ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubectl_netdoctor.checks.hop_ledger import Ledger, ledger
from kubectl_netdoctor.checks.hop_steps import Step
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.hops import Hops, ProbeKind
from kubectl_netdoctor.facts.path_mtu import PathMtu
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.html.chart import axis, distribution
from kubectl_netdoctor.report.html.heat import place
from kubectl_netdoctor.report.html.markup import Markup, framed, join, tag
from kubectl_netdoctor.report.paths import LAYERS, Layer, Path, Paths, by_trouble

SHOWN = 60
KINDS: dict[Layer, ProbeKind] = {"node": "node", "overlay": "overlay"}


def shown(found: Paths) -> list[Path]:
    """The pairs that get details, those with most trouble first: all of a small cluster."""
    return by_trouble(found)[:SHOWN]


def pairs(names: Sequence[str], rows: Sequence[Path], snapshot: Snapshot) -> Markup:
    """Details of these pairs, folded; a cell of the maps opens its own."""
    hops = {n: fact for n in names if isinstance(fact := snapshot.node_fact(n, KEYS[Hops]), Hops)}
    return join(_pair(place(names, path), path, hops) for path in rows)


def _pair(name: str, path: Path, hops: Mapping[str, Hops]) -> Markup:
    errors = ", ".join(f"{n} {e}" for e, n in sorted(path.errors.items()))
    times = path.times
    lost = f"{path.lost} of {path.sent} echo requests lost" if path.sent else "no echo requests"
    addresses = ", ".join(dict.fromkeys(p.address for p in path.probes)) or (
        path.mtu.address if path.mtu else ""
    )
    book = ledger(hops, (path.sender, path.receiver), KINDS[path.layer]) if hops else None
    return tag(
        "details",
        tag(
            "summary",
            tag("b", f"{path.sender} → {path.receiver}"),
            f" {LAYERS[path.layer]}: {lost}",
            f", median {numbers.ms(numbers.median(times))}" if times else "",
        ),
        tag("p", f"To {addresses}", f": {errors}" if errors else ""),
        [axis(), distribution(times)] if times else None,
        _sizes(path.mtu) if path.mtu else None,
        _hops(book) if book and book.sent else None,
        id=name,
        class_="pair",
    )


def _sizes(mtu: PathMtu) -> Markup:
    route = f", route MTU {mtu.route_mtu}" if mtu.route_mtu else ""
    via = f" via {mtu.gateway}" if mtu.gateway else ""
    rows = [
        tag(
            "tr",
            tag("th", f"{s.size}{' in fragments' if s is mtu.fragmented else ''}", scope="row"),
            tag("td", f"{s.received} of {s.sent}"),
            tag("td", ", ".join(f"{n} {e}" for e, n in sorted(s.errors.items()))),
        )
        for s in (*mtu.sizes, *([mtu.fragmented] if mtu.fragmented else []))
    ]
    told = [
        tag("p", f"{t.reporter}: too big at {t.size} bytes, its MTU is {t.mtu or 'not named'}")
        for t in mtu.too_big
    ]
    head = [tag("th", words, scope="col") for words in ("bytes", "answered", "instead")]
    caption = f"Sizes through {mtu.device}, MTU {mtu.device_mtu}{route}{via}"
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", head)),
        tag("tbody", rows),
    )
    return join(framed(caption, table), told)


def _hops(book: Ledger) -> Markup:
    """Every interface on the way, how many packets were seen there, and where they stayed."""
    rows = []
    left = book.sent
    for step in book.steps:
        lost = 0 if step.blind else left & ~step.seen
        left &= ~lost
        rows.append(_hop(step, book.sent, lost.bit_count()))
    note = "" if book.whole else " (the other node did not listen meanwhile)"
    caption = f"Where the probes were seen{note}"
    head = [tag("th", words, scope="col") for words in ("interface", "packet", "way", "seen", "in")]
    return framed(
        caption,
        tag("table", tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", rows)),
    )


def _hop(step: Step, sent: int, lost: int) -> Markup:
    seen = f"{(step.seen & sent).bit_count()} of {sent.bit_count()}"
    if lost:
        seen += f", {lost} no more"
    return tag(
        "tr",
        tag("th", step.name, scope="row"),
        tag("td", "answer" if step.answer else "request"),
        tag("td", step.way),
        tag(
            "td",
            f"not watched: {step.blind}" if step.blind else seen,
            class_="odd" if lost else None,
        ),
        tag("td", step.around, " (to another MAC)" if step.foreign else ""),
    )
