"""Node-by-node maps of loss, round trip and path MTU, for the underlay and the overlay.

The number stands in every cell: colour only helps to find it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.html.labels import labels
from kubectl_netdoctor.report.html.markup import UNKNOWN, Markup, framed, hidden, tag
from kubectl_netdoctor.report.paths import LAYERS, Layer, Path, Paths

SIDE_BY_SIDE = 8  # nodes; larger maps are folded one below the other
LOSS_STEPS = (0.0, 0.02, 0.1, 0.5)  # of 1: where the next colour begins
RTT_STEPS = (2.0, 5.0, 20.0, 100.0)  # times the median of the map
JITTER = 0.5  # ms above it that draw no attention

Cell = tuple[str, str]  # text and class


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a path."""

    name: str
    unit: str
    of: Callable[[Path], float | None]


LOSS = Metric("Loss", "% of echo requests", lambda p: p.loss)
RTT = Metric("Round trip", "median, ms", lambda p: p.rtt)
MTU = Metric("Path MTU", "bytes that pass", lambda p: p.largest)
METRICS = (LOSS, RTT, MTU)


def maps(names: Sequence[str], found: Paths, linked: Collection[tuple[str, str, Layer]]) -> Markup:
    """All maps; `linked`: pairs with details further down."""
    layers = [layer for layer in LAYERS if any(p.layer == layer for p in found.values())]
    small = len(names) <= SIDE_BY_SIDE
    drawn = []
    for layer in layers:
        tables = [_map(m, layer, names, found, linked) for m in METRICS]
        if not small:
            tables = [
                tag(
                    "details",
                    tag("summary", f"{metric.name}, {LAYERS[layer]}"),
                    table,
                    open=metric is LOSS,
                )
                for metric, table in zip(METRICS, tables, strict=True)
            ]
        drawn.append(tag("div", tables, class_="maps" if small else "bigmaps"))
    return tag("div", drawn)


def _map(
    metric: Metric,
    layer: Layer,
    names: Sequence[str],
    found: Paths,
    linked: Collection[tuple[str, str, Layer]],
) -> Markup:
    here = [p for p in found.values() if p.layer == layer]
    values = numbers.finite(v for p in here if (v := metric.of(p)) is not None)
    label = f"{metric.name}, {LAYERS[layer]} ({metric.unit})"
    short = labels(names)
    head = tag(
        "tr",
        tag("th", hidden("from, to"), tag("span", "from ↓ to →", aria_hidden="true"), scope="col"),
        [_name(n, short[n], "col") for n in names],
    )
    rows = []
    for sender in names:
        cells = []
        for receiver in names:
            path = found.get((sender, receiver, layer))
            text, class_ = _cell(metric, path, values)
            if sender == receiver and path is None:
                text, class_ = "·", "self"
            target = place(names, path) if path and (sender, receiver, layer) in linked else None
            cells.append(
                tag("td", tag("a", text, href=f"#{target}") if target else text, class_=class_)
            )
        rows.append(tag("tr", _name(sender, short[sender], "row"), cells))
    return framed(
        label,
        tag(
            "table",
            tag("caption", label),
            tag("thead", head),
            tag("tbody", rows),
            class_="heat",
        ),
    )


def _name(name: str, label: str, scope: str) -> Markup:
    """A node at the edge of a map: its label to the eye, its name to everyone else."""
    if label == name:
        return tag("th", tag("span", name), scope=scope)
    seen = tag("span", label, aria_hidden="true")
    return tag("th", seen, hidden(name), scope=scope, title=name)


def place(names: Sequence[str], path: Path) -> str:
    """Anchor of a pair's details: numbers, whatever nodes are called."""
    return f"pair-{names.index(path.sender)}-{names.index(path.receiver)}-{path.layer}"


def _cell(metric: Metric, path: Path | None, values: Sequence[float]) -> Cell:
    if path is None:
        return UNKNOWN, "unknown"
    value = metric.of(path)
    if metric is MTU:
        return _mtu(path, values)
    if value is None:
        return ("none", "h4") if metric is RTT and path.sent else (UNKNOWN, "unknown")
    if metric is LOSS:
        step = sum(value > limit for limit in LOSS_STEPS)
        return numbers.percent(path.lost, path.sent), f"h{step}"
    usual = numbers.median(values)
    step = sum(value > max(limit * usual, usual + JITTER) for limit in RTT_STEPS)
    return numbers.ms(value).removesuffix(" ms"), f"h{step}"


def _mtu(path: Path, values: Sequence[float]) -> Cell:
    if path.mtu is None or not path.mtu.sizes:
        return UNKNOWN, "unknown"
    if path.largest is None:
        return "none", "h4"
    smaller = path.largest < path.mtu.allowed
    return str(path.largest), "h3" if smaller else "h0" if path.largest == values[-1] else "h1"
