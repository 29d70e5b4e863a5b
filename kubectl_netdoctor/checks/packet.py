"""A packet as filters see it, and three-valued answers: what we do not understand is MAYBE."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Literal

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Hook = Literal["input", "forward", "output"]


class Match(IntEnum):
    """Whether a rule fits a packet. The minimum of several is their conjunction."""

    NO = 0
    MAYBE = 1
    YES = 2

    @property
    def negated(self) -> Match:
        """The answer to the opposite question."""
        return Match(2 - self)


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a new flow: not marked, not translated.

    `source` and `destination` may stand for a whole network. None: not known, so MAYBE.
    """

    source: IpNetwork | None = None
    destination: IpNetwork | None = None
    input: str | None = None
    output: str | None = None
    protocol: str | None = None
    source_port: int | None = None
    destination_port: int | None = None
    to_host: bool | None = None  # whether it is for the machine itself; the hook decides


@dataclass(frozen=True, slots=True)
class Drop:
    """A rule or policy that drops or rejects. `moved`: its packets inside the window."""

    text: str
    moved: int | None
    remove: str | None = None  # the command that takes it away

    @property
    def rejects(self) -> bool:
        """Whether the sender is told, so that it fails at once instead of timing out."""
        return bool(re.search(r"-j REJECT\b|\breject\b", self.text))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to the packet.

    `drop`: the rule that certainly takes it, None where it is accepted or not decidable.
    `suspects`: rules that may take it, such as those that drop at random.
    """

    drop: Drop | None
    suspects: tuple[Drop, ...]


@lru_cache(maxsize=1 << 16)  # each rule and route is met once for each peer
def network(text: str) -> IpNetwork | None:
    """An address or CIDR as a network, None where it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def inside(what: IpNetwork | None, where: IpNetwork | None) -> Match:
    """Whether all, some or none of `what` lies in `where`."""
    if what is None or where is None:
        return Match.MAYBE
    if what.version != where.version:
        return Match.NO
    if what.subnet_of(where):  # type: ignore[arg-type]  # versions are equal
        return Match.YES
    return Match.MAYBE if what.overlaps(where) else Match.NO


def same_interface(name: str | None, pattern: str) -> Match:
    """Whether an interface name fits; `+` (iptables) or `*` (nft) at the end is a prefix match."""
    if name is None:
        return Match.MAYBE
    if pattern.endswith(("+", "*")):
        return Match.YES if name.startswith(pattern[:-1]) else Match.NO
    return Match.YES if name == pattern else Match.NO


def same_port(port: int | None, ranges: Iterable[tuple[int, int]]) -> Match:
    """Whether a port lies in one of the ranges."""
    if port is None:
        return Match.MAYBE
    return Match.YES if any(low <= port <= high for low, high in ranges) else Match.NO


def same_protocol(protocol: str | None, wanted: str) -> Match:
    """Whether the layer 4 protocol is this one; `all` and 0 are any."""
    if wanted in ("all", "0"):
        return Match.YES
    if protocol is None:
        return Match.MAYBE
    names = {"6": "tcp", "17": "udp", "1": "icmp"}
    return Match.YES if names.get(wanted, wanted) == protocol else Match.NO


def new_flow(states: Iterable[str]) -> Match:
    """Whether a conntrack state list takes the first packet of a flow."""
    return Match.YES if "NEW" in {s.upper() for s in states} else Match.NO
