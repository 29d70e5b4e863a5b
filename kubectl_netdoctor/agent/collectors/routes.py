"""Routes of every table but the local one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.rtnetlink import (
    FAMILIES,
    bounded,
    network,
    protocol,
    route_kind,
    scope,
)
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.link import Route, Routes

MOST = 20_000
_LOCAL_TABLE = 255
_CLONED = 0x200  # RTM_F_CLONED: a cached exception, not a configured route
_ONLINK = 0x4  # RTNH_F_ONLINK


@collector("routes")
def routes(run: Run) -> Routes:
    """IPv4 and IPv6 routes, rtnetlink(7) RTM_GETROUTE; a multipath route is one per next hop."""
    names = run.host.interface_names()
    items, truncated = bounded(parse(run.host.netlink("routes"), names), MOST)
    return Routes(items, truncated)


def parse(messages: Iterable[Message], names: dict[int, str]) -> Iterator[Route]:
    """Routes of netlink messages."""
    for message in messages:
        table = message.get("RTA_TABLE", message["table"])
        if message["family"] not in FAMILIES or table == _LOCAL_TABLE or message["flags"] & _CLONED:
            continue
        hops = message.get("RTA_MULTIPATH")
        if not hops:
            yield _route(message, message, message["flags"], table, names)
            continue
        for hop in hops:
            named = {**hop, "RTA_OIF": hop.get("oif")}
            yield _route(message, named, hop.get("flags", 0), table, names)


def _route(message: Message, hop: Message, flags: int, table: int, names: dict[int, str]) -> Route:
    family = FAMILIES[message["family"]]
    index = hop.get("RTA_OIF")
    via = hop.get("RTA_VIA")
    return Route(
        family=family,
        destination=network(family, message.get("RTA_DST"), message["dst_len"]),
        gateway=hop.get("RTA_GATEWAY") or (via.get("addr") if via else None),
        interface=None if index is None else names.get(index, f"if{index}"),
        table=table,
        kind=route_kind(message["type"]),
        protocol=protocol(message["proto"]),
        scope=scope(message["scope"]),
        metric=message.get("RTA_PRIORITY", 0),
        source=message.get("RTA_PREFSRC"),
        mtu=message.get("RTA_METRICS", {}).get("RTAX_MTU"),
        onlink=bool(flags & _ONLINK),
    )
