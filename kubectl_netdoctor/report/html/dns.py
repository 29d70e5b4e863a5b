"""DNS latency: each server and transport with its distribution."""

from __future__ import annotations

from collections.abc import Sequence

from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.html.chart import axis, distribution
from kubectl_netdoctor.report.html.markup import Markup, framed, join, tag
from kubectl_netdoctor.report.resolvers import Asked, Resolver

SERVERS = 40
NODES = 12
ROLES = {
    "service": "cluster DNS",
    "endpoint": "endpoint of cluster DNS",
    "upstream": "upstream",
    "node-resolver": "resolver of nodes",
}


def dns(found: Sequence[Resolver]) -> Markup:
    """The table of servers, and below it the nodes' own views where they differ in number."""
    if len(found) > SERVERS:
        left = f"{len(found) - SERVERS} more servers are in the JSON report's snapshot."
        found = sorted(found, key=_trouble)[:SERVERS]
    else:
        left = ""
    return join(
        _table("DNS servers, as all nodes saw them", [(r, "", r.total) for r in found]),
        tag("p", left) if left else None,
        _by_node([r for r in found if 1 < len(r.nodes) <= NODES]),
    )


def _trouble(resolver: Resolver) -> tuple[float, float]:
    total = resolver.total
    lost = (total.sent - total.answered) / total.sent if total.sent else 0.0
    return -lost, -numbers.median(total.times) if total.times else 0.0


def _by_node(found: Sequence[Resolver]) -> Markup | None:
    if not found:
        return None
    tables = [
        _table(_name(r), [(r, node, asked) for node, asked in r.nodes.items()]) for r in found
    ]
    return tag("details", tag("summary", "Each server, node by node"), tables)


def _name(resolver: Resolver) -> str:
    host = f"[{resolver.server}]" if ":" in resolver.server else resolver.server
    return f"{host}:{resolver.port} {resolver.transport.upper()}"


def _table(caption: str, rows: Sequence[tuple[Resolver, str, Asked]]) -> Markup:
    first = "node" if rows and rows[0][1] else "server"
    head = [tag("th", words, scope="col") for words in (first, "answered", "median", "95 %", "max")]
    return framed(
        caption,
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", head, tag("th", "latency, log scale", axis(), scope="col"))),
            tag("tbody", [_row(*row) for row in rows]),
            class_="dns",
        ),
    )


def _row(resolver: Resolver, node: str, asked: Asked) -> Markup:
    times = asked.times
    shown = [numbers.median(times), numbers.share(times, 0.95), times[-1]] if times else []
    role = tag("span", ROLES.get(resolver.role, resolver.role), class_="soft")
    errors = ", ".join(f"{n} {e}" for e, n in sorted(asked.errors.items()))
    return tag(
        "tr",
        tag("th", node, scope="row")
        if node
        else tag("th", _name(resolver), tag("br"), role, scope="row"),
        tag(
            "td",
            f"{asked.answered} of {asked.sent}",
            tag("span", f" ({errors})", class_="soft") if errors else None,
            class_="odd" if asked.answered < asked.sent else None,
        ),
        [tag("td", numbers.ms(value), class_="number") for value in shown]
        or tag("td", "no answer", colspan=3),
        tag("td", distribution(times)),
    )
