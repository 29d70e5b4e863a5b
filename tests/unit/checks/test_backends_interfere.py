"""NF-03."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.netfilter import Iptables
from tests.unit.checks.firewalls import iptables_rule
from tests.unit.recorded import (
    change_node,
    findings,
    healthy,
    judged,
    node_fact,
    outcomes,
    recorded,
)


def test_a_drop_in_the_other_backend_fires() -> None:
    """The rule is named with the tool that shows it, and NF-01 is its consequence."""
    broken = iptables_rule(healthy(), "legacy", "FORWARD", "-j DROP")
    (found,) = findings("NF-03", broken)
    assert found.nodes == {"n3"}
    assert found.title.startswith("iptables-legacy drops cluster traffic")
    assert found.fix.commands[0] == "iptables-legacy -t filter -D FORWARD -j DROP"
    assert [r.finding.id for r in judged(broken).causes] == ["NF-03"]


def test_services_in_both_fire() -> None:
    """A leftover of a kube-proxy that used the other one."""
    spec = "-d 198.19.128.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y"
    (found,) = findings(
        "NF-03", iptables_rule(healthy(), "legacy", "KUBE-SERVICES", spec, table="nat")
    )
    assert found.title == "Service rules are in both iptables backends"


def test_rules_that_take_nothing_needed_are_silent() -> None:
    """Accepting rules, canaries, and drops for somebody else."""
    for chain, spec in (
        ("FORWARD", "-s 198.19.0.0/17 -j ACCEPT"),
        ("FORWARD", "-s 172.30.0.0/16 -j DROP"),
        ("INPUT", "-m mark --mark 0x8000/0x8000 -j DROP"),
        ("KUBE-KUBELET-CANARY", "-j RETURN"),
    ):
        assert findings("NF-03", iptables_rule(healthy(), "legacy", chain, spec)) == []


def test_a_drop_in_the_clusters_own_backend_is_another_check() -> None:
    """NF-01 and ENC-01 have it."""
    assert findings("NF-03", recorded("forward_drop")) == []
    assert findings("NF-03", recorded("vxlan_port_blocked")) == []


def test_without_service_rules_there_is_no_other_backend() -> None:
    """Cilium and nftables mode leave iptables to whoever likes it."""
    fact = node_fact(healthy(), "n3", Iptables)
    assert not isinstance(fact.nft, Missing)
    bare = dataclasses.replace(
        fact.nft, chains=tuple(c for c in fact.nft.chains if c.table != "nat")
    )
    other = change_node(healthy(), "n3", Iptables, lambda f: dataclasses.replace(f, nft=bare))
    assert findings("NF-03", iptables_rule(other, "legacy", "FORWARD", "-j DROP")) == []


def test_a_backend_that_could_not_be_read_proves_nothing() -> None:
    """It may hold anything."""
    gone = Missing(Reason.DENIED, "no")
    blind = change_node(healthy(), "n3", Iptables, lambda f: dataclasses.replace(f, legacy=gone))
    assert "Skipped" in outcomes("NF-03", blind)
