"""Connection tracking, iptables and nftables facts of one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import Missing, fact


@fact("conntrack")
@dataclass(frozen=True, slots=True)
class Conntrack:
    """The connection tracking table of the node's own network namespace.

    `deltas`: columns of /proc/net/stat/nf_conntrack summed over the CPUs, inside the window.
    """

    window_seconds: float
    entries: int
    limit: int  # nf_conntrack_max; 0: the kernel enforces none
    buckets: int | None
    deltas: dict[str, int]


Backend = Literal["legacy", "nft"]


@dataclass(frozen=True, slots=True)
class IptablesRule:
    """One rule as iptables-save prints it after `-A CHAIN`, with its counters.

    `moved`: packets inside the window; None for a rule that was not there at its start.
    """

    spec: str
    packets: int
    moved: int | None


@dataclass(frozen=True, slots=True)
class IptablesChain:
    """One chain in the order of the kernel. `policy` is None for chains made by users."""

    table: str
    name: str
    policy: str | None
    packets: int  # that met the policy
    moved: int | None  # of these, inside the window
    rules: tuple[IptablesRule, ...]


@dataclass(frozen=True, slots=True)
class IptablesRuleset:
    """All chains of one backend and family."""

    backend: Backend
    family: int
    chains: tuple[IptablesChain, ...]

    def chain(self, table: str, name: str) -> IptablesChain | None:
        """The chain of that name."""
        return next((c for c in self.chains if c.table == table and c.name == name), None)


@fact("iptables")
@dataclass(frozen=True, slots=True)
class Iptables:
    """Rules of both backends; a backend that could not be read is Missing, with its reason.

    Both are in force at once: a packet must pass both.
    """

    window_seconds: float
    legacy: IptablesRuleset | Missing
    nft: IptablesRuleset | Missing


@dataclass(frozen=True, slots=True)
class NftRule:
    """One rule of nft(8): `expression` is nft's own JSON as text, `packets` None without counter."""

    handle: int
    expression: str
    packets: int | None
    moved: int | None


@dataclass(frozen=True, slots=True)
class NftChain:
    """One chain; `hook`, `priority` and `policy` are None for chains that hang on no hook."""

    family: str
    table: str
    name: str
    hook: str | None
    priority: int | None
    policy: str | None
    device: str | None
    rules: tuple[NftRule, ...]


@fact("nftables")
@dataclass(frozen=True, slots=True)
class Nftables:
    """Native nftables chains: tables that iptables-nft owns are in `iptables`, not here."""

    window_seconds: float
    chains: tuple[NftChain, ...]
