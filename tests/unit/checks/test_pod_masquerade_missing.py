"""NF-08."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.checks.pod_masquerade_missing import flannel_network
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import ConfigMapInfo, ConfigMaps, Nodes
from kubectl_netdoctor.facts.netfilter import Iptables, IptablesRuleset, Nftables, NftChain, NftRule
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import settled, with_rules, without_rules
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    outcomes,
)

FLUSHED = "flanneld masq"
ALL = ("n1", "n2", "n3")


def flushed(*nodes: str, snapshot: Snapshot | None = None) -> Snapshot:
    """The settled lab without flannel's rules on these nodes."""
    out = snapshot or settled(healthy())
    for name in nodes:
        out = without_rules(out, FLUSHED, name)
    return out


def backend(snapshot: Snapshot, kind: str | None) -> Snapshot:
    """Every node with another backend of flannel, or without flannel."""
    key = "flannel.alpha.coreos.com/backend-type"

    def change(machine: Any) -> Any:
        return dataclasses.replace(machine, annotations={key: kind} if kind else {})

    return change_cluster(snapshot, Nodes, change_items(Nodes, change))


def test_one_node_without_the_rules_is_certain() -> None:
    """The others have them."""
    (found,) = findings("NF-08", flushed("n3"))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.CERTAIN
    assert "there is one on n1, n2" in found.evidence[1].text
    assert found.fix.commands[0].startswith("iptables -t nat -A POSTROUTING -s ")


def test_without_comparison_flannels_empty_chain_makes_it_likely() -> None:
    """It was made for masquerading and has no rule."""
    found = findings("NF-08", flushed(*ALL))
    assert {f.confidence for f in found} == {Confidence.LIKELY}
    assert len(found) == 3


def test_only_the_masquerading_rule_is_gone() -> None:
    """The chain returns everything else and reaches its end."""
    cut = without_rules(settled(healthy()), "-s 198.19.0.0/17 ! -d 224.0.0.0/4")
    assert [f.nodes for f in findings("NF-08", cut)] == [{"n3"}]


def test_a_cluster_that_never_masquerades_is_silent() -> None:
    """No node does, and nothing shows that one should: addresses that are routed outside."""

    def no_chain(fact: Iptables) -> Iptables:
        assert isinstance(fact.nft, IptablesRuleset)
        chains = tuple(c for c in fact.nft.chains if c.name != "FLANNEL-POSTRTG")
        return dataclasses.replace(fact, nft=dataclasses.replace(fact.nft, chains=chains))

    never = flushed(*ALL)
    for name in ALL:
        never = change_node(never, name, Iptables, no_chain)
    assert findings("NF-08", never) == []


@pytest.mark.parametrize("kind", ["host-gw", "alloc", None])
def test_networks_that_need_none_are_silent(kind: str | None) -> None:
    """Pods may be routed there, or another plugin decides it."""
    assert findings("NF-08", backend(flushed("n3"), kind)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "nat POSTROUTING -s 198.19.2.0/24 ! -d 198.19.0.0/17 -j MASQUERADE",
        "nat POSTROUTING ! -d 10.0.0.0/8 -m addrtype ! --dst-type LOCAL -j MASQUERADE",
        "nat POSTROUTING -o eth0 -j SNAT --to-source 198.18.0.13",
        "nat POSTROUTING -m set --match-set pods src -j MASQUERADE",
    ],
)
def test_any_rule_that_may_take_them_is_enough(rule: str) -> None:
    """An ip-masq-agent, a firewall, a rule by hand."""
    assert findings("NF-08", with_rules(flushed("n3"), [rule])) == []


def test_rules_for_marked_packets_are_not_enough() -> None:
    """kube-proxy's own and portmap's take Service traffic only."""
    marked = "nat POSTROUTING -m mark --mark 0x2000/0x2000 -j MASQUERADE"
    assert len(findings("NF-08", with_rules(flushed("n3"), [marked]))) == 1


def test_native_nftables_counts() -> None:
    """Flannel with EnableNFTables."""
    rule = NftRule(1, '[{"masquerade":{"flags":"fully-random"}}]', None, None)
    chain = NftChain("ip", "flannel-ipv4", "postrtg", "postrouting", 100, "accept", None, (rule,))
    native = change_node(flushed("n3"), "n3", Nftables, lambda _: Nftables(1.0, (chain,)))
    assert findings("NF-08", native) == []
    empty = dataclasses.replace(chain, rules=())
    gone = change_node(flushed("n3"), "n3", Nftables, lambda _: Nftables(1.0, (empty,)))
    assert len(findings("NF-08", gone)) == 1


def test_a_backend_that_was_not_read_is_unknown() -> None:
    """The rule may be there."""

    def unread(fact: Iptables) -> Iptables:
        return dataclasses.replace(fact, legacy=Missing(Reason.DENIED, "no"))

    assert findings("NF-08", change_node(flushed("n3"), "n3", Iptables, unread)) == []


def test_nodes_that_just_came_are_not_judged() -> None:
    """Flannel writes its rules when it has started."""
    start = healthy().run.started

    def young(machine: Any) -> Any:
        since = tuple(dataclasses.replace(c, since=start) for c in machine.conditions)
        return dataclasses.replace(machine, conditions=since)

    came = change_cluster(healthy(), Nodes, change_items(Nodes, young))
    assert findings("NF-08", flushed("n3", snapshot=came)) == []
    assert outcomes("NF-08", flushed("n3", snapshot=came)) == {"Skipped"}


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ('{"Network": "10.5.0.0/16"}', "10.5.0.0/16"),
        ("[]", None),
        ("{", None),
        ('{"Network": ";"}', None),
    ],
)
def test_the_network_of_all_pods(text: str, network: str | None) -> None:
    """Only an address range goes into a command."""
    maps = ConfigMaps((ConfigMapInfo("kube-flannel", "kube-flannel-cfg", {"net-conf.json": text}),))
    assert flannel_network(maps) == network
