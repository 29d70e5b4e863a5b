"""Paths of a cluster that is too large for a map: a tile for each node, and the worst pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.html.chart import axis, distribution, spoken
from kubectl_netdoctor.report.html.heat import LOSS_STEPS, place
from kubectl_netdoctor.report.html.markup import UNKNOWN, Markup, framed, hidden, join, tag
from kubectl_netdoctor.report.paths import LAYERS, Layer, Path, Paths

WORST = 40


def crowd(names: Sequence[str], found: Paths, worst: Sequence[Path]) -> Markup:
    """Tiles and sums of each layer, then the pairs with most trouble."""
    layers = [la for la in LAYERS if any(p.layer == la for p in found.values())]
    return join([_layer(layer, names, found) for layer in layers], _worst(names, worst[:WORST]))


def _layer(layer: Layer, names: Sequence[str], found: Paths) -> Markup:
    here = [p for p in found.values() if p.layer == layer]
    sent: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for path in here:
        for end in (path.sender, path.receiver):
            sent[end] += path.sent
            lost[end] += path.lost
    times = sorted(t for p in here for t in p.times)
    sizes = Counter(p.largest for p in here if p.mtu and p.mtu.sizes)
    widths = ", ".join(f"{size or 'none'} ({count} pairs)" for size, count in sizes.most_common(12))
    return join(
        tag("h3", f"Loss on the {LAYERS[layer]}, to and from each node"),
        tag("ol", [_tile(n, lost[n], sent[n]) for n in names], class_="tiles"),
        tag("p", "Round trips of all pairs: ", spoken(times) if times else "not measured"),
        [axis(), distribution(times)] if times else None,
        tag("p", f"Path MTU: {widths or 'not measured'}."),
    )


def _tile(name: str, lost: int, sent: int) -> Markup:
    if not sent:
        return tag("li", hidden(f"{name}: not measured"), class_="unknown", title=name)
    step = sum(lost / sent > limit for limit in LOSS_STEPS)
    text = f"{name}: {numbers.percent(lost, sent)} % lost"
    shown = tag("span", numbers.percent(lost, sent), aria_hidden="true") if lost else None
    return tag("li", shown, hidden(text), class_=f"h{step}", title=text)


def _worst(names: Sequence[str], rows: Sequence[Path]) -> Markup:
    caption = f"The {len(rows)} pairs with most trouble"
    head = ("from", "to", "layer", "lost", "median", "largest packet")
    return framed(
        caption,
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", [tag("th", words, scope="col") for words in head])),
            tag("tbody", [_row(names, p) for p in rows]),
        ),
    )


def _row(names: Sequence[str], path: Path) -> Markup:
    return tag(
        "tr",
        tag("td", tag("a", path.sender, href=f"#{place(names, path)}")),
        tag("td", path.receiver),
        tag("td", LAYERS[path.layer]),
        tag("td", f"{path.lost} of {path.sent}", class_="odd" if path.lost else None),
        tag("td", numbers.ms(path.rtt) if path.rtt is not None else UNKNOWN),
        tag("td", _largest(path)),
    )


def _largest(path: Path) -> str:
    if path.mtu is None or not path.mtu.sizes:
        return UNKNOWN
    return f"{path.largest or 'none'} of {path.mtu.allowed}"
