"""What the connection tracking table holds: who fills it, port use, translated UDP flows."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact


@dataclass(frozen=True, slots=True)
class Share:
    """Entries of one address: of a client, or `address:port/protocol` of what clients want."""

    name: str
    entries: int


@dataclass(frozen=True, slots=True)
class PortUse:
    """Entries from one address to one address, port and protocol, each with a source port.

    `source` is what the destination sees. `client`: the address before translation, None where
    there are several. `closed`: TCP entries that wait for their end (TIME_WAIT, CLOSE, LAST_ACK).
    `lowest`, `highest`: source ports, of the translated entries alone where those are most.
    """

    protocol: str
    source: str
    destination: str
    port: int
    client: str | None
    entries: int
    translated: int  # of these, with another source address or port than the client's
    closed: int
    lowest: int
    highest: int

    @property
    def is_translated(self) -> bool:
        """Whether a rule of this node chose the source ports, and not the client."""
        return self.client != self.source or 2 * self.translated > self.entries


@dataclass(frozen=True, slots=True)
class TranslatedUdp:
    """UDP entries with one wanted destination and one address that it was translated to.

    `refreshed`: entries whose time left is longer than it can be without a packet inside the window.
    `left_unassured`, `left_assured`: most seconds left of an entry, None where there is none. The
    kernel gives an entry net.netfilter.nf_conntrack_udp_timeout seconds with each packet, one that
    is assured nf_conntrack_udp_timeout_stream.
    """

    destination: str
    port: int
    backend: str
    backend_port: int
    entries: int
    unreplied: int
    refreshed: int
    left_unassured: int | None
    left_assured: int | None
    client: str  # address:port of the entry with most seconds left


@fact("conntrack_flows")
@dataclass(frozen=True, slots=True)
class ConntrackFlows:
    """The table of the node's own network namespace at the window's end.

    `read`: entries that were looked at; where `complete` is false there are more, and as the kernel
    gives them in the order of a hash, those that were read are a random sample. `states`: entries by
    protocol and TCP state (`tcp ESTABLISHED`, `udp`, `icmp`). Of clients and destinations the
    largest are listed, of port uses those and the ones that fill their span of ports best, of
    translated flows the rarest.
    """

    window_seconds: float
    read: int
    complete: bool
    states: dict[str, int]
    clients: tuple[Share, ...]
    destinations: tuple[Share, ...]
    ports: tuple[PortUse, ...]
    translated: tuple[TranslatedUdp, ...]
    translated_more: int  # that are not listed
