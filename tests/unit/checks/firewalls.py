"""Rules added to the firewall of a recorded node."""

from __future__ import annotations

import dataclasses
import json
from typing import Literal

from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.netfilter import (
    Iptables,
    IptablesChain,
    IptablesRule,
    IptablesRuleset,
    Nftables,
    NftChain,
    NftRule,
)
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_node

NODE = "n3"


def iptables_rule(
    snapshot: Snapshot,
    backend: Literal["legacy", "nft"],
    chain: str,
    spec: str,
    table: str = "filter",
) -> Snapshot:
    """A rule on top of a chain of n3."""

    def apply(fact: Iptables) -> Iptables:
        old = getattr(fact, backend)
        chains = () if isinstance(old, Missing) else old.chains
        rest = tuple(c for c in chains if (c.table, c.name) != (table, chain))
        found = next((c for c in chains if (c.table, c.name) == (table, chain)), None)
        found = found or IptablesChain(table, chain, "ACCEPT", 0, 0, ())
        changed = dataclasses.replace(found, rules=(IptablesRule(spec, 5, 5), *found.rules))
        ruleset = IptablesRuleset(backend, 4, (*rest, changed))
        return (
            dataclasses.replace(fact, legacy=ruleset)
            if backend == "legacy"
            else dataclasses.replace(fact, nft=ruleset)
        )

    return change_node(snapshot, NODE, Iptables, apply)


def nft_chain(
    snapshot: Snapshot,
    hook: str,
    *rules: object,
    policy: str = "accept",
    moved: int | None = None,
) -> Snapshot:
    """A native base chain on n3 with rules in nft's JSON; `moved`: what their counters counted."""
    listed = tuple(NftRule(i, json.dumps(r), moved, moved) for i, r in enumerate(rules, 4))
    chain = NftChain("inet", "by_hand", f"{hook}s", hook, 10, policy, None, listed)
    return change_node(
        snapshot, NODE, Nftables, lambda n: dataclasses.replace(n, chains=(*n.chains, chain))
    )


def accept(left: object, right: object) -> list[object]:
    """A rule that accepts what fits."""
    return [{"match": {"op": "==", "left": left, "right": right}}, {"accept": None}]


ANSWERS = accept({"ct": {"key": "state"}}, {"set": ["established", "related"]})
REJECT = [{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]


def port(protocol: str, number: int) -> list[object]:
    """A rule that accepts a port."""
    return accept({"payload": {"protocol": protocol, "field": "dport"}}, number)
