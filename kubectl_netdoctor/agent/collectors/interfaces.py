"""Links: kind, MTU, state, tunnel parameters, features, counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_netdoctor.agent.counters import all_moved
from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.link import Interface, Interfaces, Vxlan

_IFF_UP, _IFF_LOOPBACK, _IFF_LOWER_UP = 0x1, 0x8, 0x10000
_ETHTOOL_LINKS = 64  # features are read of as many links, two system calls each
_KIND_ORDER = {"vxlan": 0, "geneve": 0, "bridge": 1, None: 2}

Ethtool = tuple[str | None, dict[str, bool]]
Counters = dict[int, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading; `ethtool` and `counters` by ifindex."""

    links: tuple[Message, ...]
    ethtool: dict[int, Ethtool]
    counters: Counters


def read(run: Run) -> Sample:
    """All links by rtnetlink(7), RTM_GETLINK."""
    links = tuple(run.host.netlink("links"))
    chosen = worth_asking(links)
    return Sample(
        links=links,
        ethtool={link["index"]: run.host.ethtool(link["IFLA_IFNAME"]) for link in chosen},
        counters={link["index"]: dict(link.get("IFLA_STATS64", {})) for link in links},
    )


def worth_asking(links: tuple[Message, ...]) -> list[Message]:
    """The links whose driver and features are read: tunnels, bridges and hardware first."""
    candidates = [link for link in links if not link["flags"] & _IFF_LOOPBACK]
    candidates.sort(key=lambda link: _KIND_ORDER.get(_kind(link), 3))
    return candidates[:_ETHTOOL_LINKS]


@windowed("interfaces", read)
def interfaces(before: Sample, after: Sample, window: Window) -> Interfaces:
    """Links at the window's end. One that came inside the window has no deltas."""
    items = []
    for link in after.links:
        index = link["index"]
        now = after.counters[index]
        deltas = all_moved(before.counters.get(index, {}), now, link["IFLA_IFNAME"], window.note)
        items.append(interface(link, after.ethtool.get(index, (None, {})), deltas))
    return Interfaces(tuple(items))


def interface(link: Message, ethtool: Ethtool, deltas: Mapping[str, int]) -> Interface:
    """One link from its netlink message; `deltas` that did not move are left out."""
    info: Message = link.get("IFLA_LINKINFO", {})
    driver, offloads = ethtool
    return Interface(
        index=link["index"],
        name=link["IFLA_IFNAME"],
        kind=_kind(link),
        mtu=link.get("IFLA_MTU", 0),
        address=link.get("IFLA_ADDRESS"),
        up=bool(link["flags"] & _IFF_UP),
        lower_up=bool(link["flags"] & _IFF_LOWER_UP),
        operstate=str(link.get("IFLA_OPERSTATE", "unknown")).lower(),
        master=link.get("IFLA_MASTER"),
        driver=driver,
        rx_queues=link.get("IFLA_NUM_RX_QUEUES", 1),
        tx_queues=link.get("IFLA_NUM_TX_QUEUES", 1),
        hairpin=_hairpin(info),
        vxlan=_vxlan(info.get("IFLA_INFO_DATA")) if _kind(link) == "vxlan" else None,
        offloads=offloads,
        counters=dict(link.get("IFLA_STATS64", {})),
        deltas={name: moved for name, moved in deltas.items() if moved},
    )


def _kind(link: Message) -> str | None:
    kind = link.get("IFLA_LINKINFO", {}).get("IFLA_INFO_KIND")
    return None if kind is None else str(kind)


def _hairpin(info: Message) -> bool | None:
    """IFLA_BRPORT_MODE of a bridge port."""
    if info.get("IFLA_INFO_SLAVE_KIND") != "bridge":
        return None
    mode = info.get("IFLA_INFO_SLAVE_DATA", {}).get("IFLA_BRPORT_MODE")
    return None if mode is None else bool(mode)


def _vxlan(data: Any) -> Vxlan | None:
    if not isinstance(data, Mapping):
        return None
    return Vxlan(
        vni=data.get("IFLA_VXLAN_ID", 0),
        port=data.get("IFLA_VXLAN_PORT", 0),
        local=data.get("IFLA_VXLAN_LOCAL") or data.get("IFLA_VXLAN_LOCAL6"),
        parent=data.get("IFLA_VXLAN_LINK") or None,
        learning=bool(data.get("IFLA_VXLAN_LEARNING", 0)),
        external=bool(data.get("IFLA_VXLAN_COLLECT_METADATA", 0)),
    )
