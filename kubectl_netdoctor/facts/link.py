"""Links, addresses, routes, policy rules and neighbours of one node, in rtnetlink(7) terms."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact


@dataclass(frozen=True, slots=True)
class Vxlan:
    """IFLA_VXLAN_* of a vxlan link. `external`: collect-metadata mode, no FDB entry per peer."""

    vni: int
    port: int
    local: str | None
    parent: int | None  # ifindex of IFLA_VXLAN_LINK
    learning: bool
    external: bool


@dataclass(frozen=True, slots=True)
class Interface:
    """One link. Counters are IFLA_STATS64 names; `deltas` hold what moved inside the window."""

    index: int
    name: str
    kind: str | None  # IFLA_INFO_KIND: veth, bridge, vxlan …; None for hardware
    mtu: int
    address: str | None
    up: bool  # IFF_UP
    lower_up: bool  # IFF_LOWER_UP: carrier
    operstate: str
    master: int | None  # ifindex
    driver: str | None
    rx_queues: int
    tx_queues: int
    hairpin: bool | None  # IFLA_BRPORT_MODE; None: not a bridge port
    vxlan: Vxlan | None
    offloads: dict[str, bool]  # ethtool feature names; empty where they cannot be read
    counters: dict[str, int]
    deltas: dict[str, int]


@fact("interfaces")
@dataclass(frozen=True, slots=True)
class Interfaces:
    """All links of the node's own network namespace."""

    items: tuple[Interface, ...]

    def named(self, name: str) -> Interface | None:
        """The link of that name."""
        return next((i for i in self.items if i.name == name), None)

    def indexed(self, index: int | None) -> Interface | None:
        """The link of that ifindex."""
        return next((i for i in self.items if i.index == index), None)


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a link, `address` without its prefix length."""

    interface: str
    family: int  # 4 or 6
    address: str
    prefix_length: int
    scope: str  # global, link, host


@fact("addresses")
@dataclass(frozen=True, slots=True)
class Addresses:
    """All addresses of the node's own network namespace."""

    items: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of any table. `destination` is a CIDR, `0.0.0.0/0` for the default route."""

    family: int
    destination: str
    gateway: str | None
    interface: str | None
    table: int
    kind: str  # RTN_*: unicast, local, blackhole, unreachable, prohibit …
    protocol: str  # RTPROT_*: kernel, boot, static, dhcp, bird … or a number
    scope: str
    metric: int
    source: str | None
    mtu: int | None
    onlink: bool


@fact("routes")
@dataclass(frozen=True, slots=True)
class Routes:
    """All routes but those of the local table; `truncated` counts what the bound cut off."""

    items: tuple[Route, ...]
    truncated: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy routing rule, ip-rule(8)."""

    family: int
    priority: int
    action: str
    source: str | None
    destination: str | None
    input_interface: str | None
    output_interface: str | None
    mark: int | None
    table: int


@fact("rules")
@dataclass(frozen=True, slots=True)
class Rules:
    """All policy routing rules."""

    items: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One ARP or NDP entry; `state` is the NUD name: reachable, permanent, failed …."""

    interface: str
    address: str
    lladdr: str | None
    state: str


@fact("neighbours")
@dataclass(frozen=True, slots=True)
class Neighbours:
    """All neighbour entries; `truncated` counts what the bound cut off."""

    items: tuple[Neighbour, ...]
    truncated: int


@dataclass(frozen=True, slots=True)
class FdbEntry:
    """One forwarding entry of a bridge or vxlan link. `destination`: remote VTEP, NDA_DST."""

    interface: str
    lladdr: str
    destination: str | None
    port: int | None
    vni: int | None
    state: str


@fact("fdb")
@dataclass(frozen=True, slots=True)
class Fdb:
    """Forwarding database entries (AF_BRIDGE neighbours); `truncated` as elsewhere."""

    items: tuple[FdbEntry, ...]
    truncated: int
