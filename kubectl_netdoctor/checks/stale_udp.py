"""Which translated UDP flows lead to something that is no backend any more."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubectl_netdoctor.checks import service_backends
from kubectl_netdoctor.checks.service_age import Ages
from kubectl_netdoctor.checks.service_backends import Wanted
from kubectl_netdoctor.facts.cluster import EndpointSlices, NodeInfo, Nodes, Services
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows, TranslatedUdp
from kubectl_netdoctor.facts.system import Sysctls

TIMEOUT = "net.netfilter.nf_conntrack_udp_timeout"
STREAM_TIMEOUT = "net.netfilter.nf_conntrack_udp_timeout_stream"
PROTOCOL = "UDP"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that an entry gets with each packet; None where that could not be read."""

    unassured: int | None
    assured: int | None

    @classmethod
    def of(cls, sysctls: Sysctls | None) -> Timeouts:
        """From the node's kernel parameters."""
        if sysctls is None:
            return cls(None, None)
        return cls(sysctls.number(TIMEOUT), sysctls.number(STREAM_TIMEOUT))

    def idle(self, flow: TranslatedUdp) -> int | None:
        """Seconds since the last packet of its most lively entry."""
        pairs = ((self.unassured, flow.left_unassured), (self.assured, flow.left_assured))
        known = [limit - left for limit, left in pairs if limit is not None and left is not None]
        return min((seconds for seconds in known if seconds >= 0), default=None)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the API and the node's rules say. `rules`: all of them as text, None: not known."""

    services: Services
    slices: EndpointSlices
    nodes: Nodes
    node: NodeInfo
    rules: str | None
    _by_key: dict[tuple[str, int], Wanted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pieces = service_backends.by_service(self.slices)
        for family in (4, 6):
            for (address, protocol, port), wish in service_backends.wanted(
                self.services, pieces, self.node.name, family
            ).items():
                if protocol != PROTOCOL:
                    continue
                self._by_key[address, port] = wish
                for own in self.node.internal_ips if wish.node_port else ():
                    self._by_key[own, wish.node_port or 0] = wish

    def wish(self, flow: TranslatedUdp) -> Wanted | None:
        """What the Service that the client asked for should lead to."""
        return self._by_key.get((flow.destination, flow.port))

    def is_endpoint(self, address: str) -> bool:
        """Whether any EndpointSlice lists an address."""
        return any(address in e.addresses for s in self.slices.items for e in s.endpoints)

    def is_pods(self, address: str) -> bool:
        """Whether an address is from a node's pod range."""
        found = ipaddress.ip_address(address)
        return any(
            found in ipaddress.ip_network(cidr, strict=False)
            for n in self.nodes.items
            for cidr in n.pod_cidrs
            if (":" in cidr) == (found.version == 6)
        )


@dataclass(frozen=True, slots=True)
class Stale:
    """One flow that leads to a former backend.

    `sure`: it got packets long enough after the change. `gone`: nothing has that address as its
    endpoint any more.
    """

    flow: TranslatedUdp
    service: str | None
    sure: bool
    gone: bool
    text: str


def stale(
    flows: ConntrackFlows, cluster: Cluster, known: Ages | None, timeouts: Timeouts
) -> Iterator[Stale]:
    """Flows to what is no backend any more; those that nobody uses are left out."""
    for flow in flows.translated:
        wish = cluster.wish(flow)
        gone = not cluster.is_endpoint(flow.backend)
        if wish is None:
            if gone and flow.refreshed and _forgotten(flow, cluster):
                yield Stale(flow, None, sure=True, gone=True, text=_text(flow, None, timeouts))
        elif backend(flow) not in wish.listed:
            idle = timeouts.idle(flow)
            age = known.seconds.get(wish.service) if known else None
            if not flow.refreshed and (idle is None or (age is not None and idle >= age)):
                continue  # its last packet may be older than the change
            sure = known is not None and known.settled(wish.service)
            yield Stale(flow, wish.service, sure, gone, _text(flow, wish, timeouts))


def backend(flow: TranslatedUdp) -> str:
    """`address:port` as EndpointSlices are read."""
    address = f"[{flow.backend}]" if ":" in flow.backend else flow.backend
    return f"{address}:{flow.backend_port}"


def _forgotten(flow: TranslatedUdp, cluster: Cluster) -> bool:
    """Whether a pod's address was the backend, and no rule of this node leads to it any more.

    kube-proxy removes the rules and then the entries in one go, so that both readings of the window
    cannot meet it in between.
    """
    if cluster.rules is None or not cluster.is_pods(flow.backend):
        return False
    if cluster.is_pods(flow.destination):
        return False
    return f"{flow.backend}:" not in cluster.rules and f'"{flow.backend}"' not in cluster.rules


def _text(flow: TranslatedUdp, wish: Wanted | None, timeouts: Timeouts) -> str:
    last = f"last packet {timeouts.idle(flow)} s ago"
    if flow.refreshed:
        last = "packets came inside the window"
    answer = "never answered" if flow.unreplied == flow.entries else "answered once"
    name = f"{wish.port_name} " if wish else ""
    now = f"the Service {_backends(wish)}" if wish else "no rule leads there any more"
    return (
        f"{flow.client} to {name}{flow.destination}:{flow.port}/udp is sent to {backend(flow)}: "
        f"{_entries(flow.entries)}, {answer}, {last}; {now}"
    )


def _entries(number: int) -> str:
    return "one entry" if number == 1 else f"{number} entries"


def _backends(wish: Wanted) -> str:
    if not wish.listed:
        return "has no endpoint now"
    shown = ", ".join(sorted(wish.listed)[:3])
    return f"has now {shown}" + (" and more" if len(wish.listed) > 3 else "")
