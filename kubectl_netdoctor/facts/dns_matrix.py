"""What every DNS server said to every form of question, and what a pod's search list costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import Missing, fact
from kubectl_netdoctor.facts.probe import DnsTransport

DnsMatrixRole = Literal["service", "endpoint", "upstream", "node-resolver", "pod-resolver"]
"""As DnsRole; `pod-resolver`: an address that the kubelet hands to pods and no other role has."""

DnsFiller = Literal["none", "padding", "ignored"]
"""What makes a query large, an EDNS option of some hundred bytes.

`padding` (RFC 7830): a server that knows it pads its answer alike, so the answer is larger than
the query. `ignored`: an option of local use, which no server answers (RFC 6891), so that the query
is as large and its answer is small.
"""


@dataclass(frozen=True, slots=True)
class DnsCell:
    """Queries of one form to one server; `rcodes` and `errors` are those of DnsProbe.

    `paired`: sent side by side with its A or AAAA twin from one socket, as the libc does.
    `payload`: the answer's largest size that the query allows, None without EDNS (512, RFC 1035).
    `sizes` and `rtt_ms` have one entry for each answer, in the same order.
    """

    server: str
    port: int
    role: DnsMatrixRole
    transport: DnsTransport
    name: str
    type: str
    paired: bool
    payload: int | None
    dnssec_ok: bool
    filler: DnsFiller
    sent: int
    answered: int
    rcodes: dict[str, int]
    errors: dict[str, int]
    truncated: int  # answers with TC
    records: int  # in the answer section of the answer that had most
    sizes: tuple[int, ...]  # bytes of the message
    rtt_ms: tuple[float, ...]

    @property
    def lost(self) -> int:
        """Queries without an answer."""
        return self.sent - self.answered


@dataclass(frozen=True, slots=True)
class SearchDomain:
    """One domain of the search list that a pod gets, asked for labels that nobody has chosen.

    `addresses`: what such a label resolved to, which only a wildcard record explains.
    """

    domain: str
    of_node: bool  # from the node's file, not from the cluster
    asked: int
    rcodes: dict[str, int]
    errors: dict[str, int]
    addresses: tuple[str, ...]
    rtt_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SearchCost:
    """One name of the outside looked up as a pod does, and the same with a trailing dot.

    `relative_ms`: through the whole list, A and AAAA side by side at each step, and then the name
    itself; `absolute_ms`: the name itself. Each name is new, so that no cache knows the answer.
    `invented`: addresses for a name below `invalid.`, which cannot exist (RFC 6761).
    """

    server: str
    port: int
    domains: tuple[SearchDomain, ...]
    queries: int  # that one name costs
    relative_ms: tuple[float, ...]
    absolute_ms: tuple[float, ...]
    errors: dict[str, int]  # that ended a walk through the list
    invented: tuple[str, ...]


@fact("dns_matrix")
@dataclass(frozen=True, slots=True)
class DnsMatrix:
    """All cells of the node's own network namespace.

    `left_out`: servers that were not asked, to stay within the bound of packets: not known.
    """

    window_seconds: float
    items: tuple[DnsCell, ...]
    search: SearchCost | Missing
    left_out: tuple[str, ...]
