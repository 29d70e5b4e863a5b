"""NF-01."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.link import Routes
from kubectl_netdoctor.facts.netfilter import (
    Iptables,
    IptablesChain,
    IptablesRule,
    Nftables,
    NftChain,
    NftRule,
)
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, findings, healthy, outcomes, recorded


def change_forward(change: Callable[[IptablesChain], IptablesChain]) -> Snapshot:
    """The healthy lab with n3's FORWARD chain of the filter table changed."""

    def apply(fact: Iptables) -> Iptables:
        assert not isinstance(fact.nft, Missing)
        chains = tuple(
            change(c) if (c.table, c.name) == ("filter", "FORWARD") else c for c in fact.nft.chains
        )
        return dataclasses.replace(fact, nft=dataclasses.replace(fact.nft, chains=chains))

    return change_node(healthy(), "n3", Iptables, apply)


def test_the_recorded_fault_fires() -> None:
    """Policy DROP without flannel's accepting rules."""
    (found,) = findings("NF-01", recorded("forward_drop"))
    assert found.nodes == {"n3"}
    assert "policy of FORWARD is DROP" in found.evidence[0].text


def test_a_drop_policy_with_accepting_rules_is_silent() -> None:
    """Docker's policy alone is harmless while the CNI accepts first."""
    assert findings("NF-01", change_forward(lambda c: dataclasses.replace(c, policy="DROP"))) == []


def test_a_rule_that_takes_everything_fires() -> None:
    """A DROP on top of the chain, as a hardening script inserts it."""
    drop = IptablesRule("-j DROP", 0, 7)
    (found,) = findings(
        "NF-01", change_forward(lambda c: dataclasses.replace(c, rules=(drop, *c.rules)))
    )
    assert "-A FORWARD -j DROP (took 7 packets in the window)" in found.evidence[0].text
    assert found.fix.commands[0] == "iptables-nft -t filter -D FORWARD -j DROP"


def test_a_rule_for_somebody_else_is_silent() -> None:
    """A DROP for another network is not about pods."""
    drop = IptablesRule("-s 172.30.0.0/16 -j DROP", 0, 0)
    assert (
        findings("NF-01", change_forward(lambda c: dataclasses.replace(c, rules=(drop, *c.rules))))
        == []
    )


def test_an_nftables_firewall_counts_too() -> None:
    """A packet must pass native nftables as well as iptables."""
    chain = NftChain(
        "inet",
        "fw",
        "forward",
        "forward",
        0,
        "accept",
        None,
        (NftRule(4, '[{"reject": null}]', 0, 0),),
    )
    fenced = change_node(
        healthy(), "n3", Nftables, lambda n: dataclasses.replace(n, chains=(chain,))
    )
    (found,) = findings("NF-01", fenced)
    assert found.fix.commands[0] == "nft delete rule inet fw forward handle 4"


def test_without_routes_to_pods_nothing_is_claimed() -> None:
    """A CNI that does not route by podCIDR: the way of its packets is not known."""
    lost = change_node(
        healthy(), "n3", Routes,
        change_items(Routes, lambda r: None if r.interface in ("cni0", "flannel.1") else r),
    )  # fmt: skip
    assert findings("NF-01", lost) == []
    assert "Skipped" in outcomes("NF-01", lost)
