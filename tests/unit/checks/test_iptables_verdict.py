"""Walking iptables: policies, order, jumps, negation, and doubt that never becomes certainty."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.checks.iptables_verdict import judge, verdict
from kubectl_netdoctor.checks.packet import Hook, Match, Packet, network
from kubectl_netdoctor.facts.netfilter import IptablesChain, IptablesRule, IptablesRuleset

POD_TO_POD = Packet(
    network("10.244.1.0/24"), network("10.244.2.0/24"), input="cni0", output="flannel.1"
)
VXLAN_IN = Packet(network("192.0.2.7"), input="eth0", protocol="udp", destination_port=8472)


def ruleset(chains: dict[str, list[str]], policy: str = "ACCEPT") -> IptablesRuleset:
    """The filter table of a node: built-in chains have the policy, others have none."""
    return IptablesRuleset(
        "nft",
        4,
        tuple(
            IptablesChain(
                "filter",
                name,
                policy if name in ("INPUT", "FORWARD", "OUTPUT") else None,
                0,
                0,
                tuple(IptablesRule(spec, 0, 3) for spec in specs),
            )
            for name, specs in chains.items()
        ),
    )


def dropped_by(rules: IptablesRuleset, hook: Hook, packet: Packet) -> str | None:
    """Text of the certain drop."""
    drop = verdict(rules, hook, packet).drop
    return drop.text if drop else None


def test_a_policy_drops_what_nothing_accepts() -> None:
    """Policy DROP without accepting rules takes the packet, and says how to take it back."""
    drop = verdict(ruleset({"FORWARD": []}, "DROP"), "forward", POD_TO_POD).drop
    assert drop is not None
    assert drop.text == "iptables-nft -t filter: policy of FORWARD is DROP"
    assert drop.remove == "iptables-nft -t filter -P FORWARD ACCEPT"


@pytest.mark.parametrize(
    "accepting",
    [
        "-s 10.244.0.0/16 -j ACCEPT",
        "-i cni0 -j ACCEPT",
        "-o flannel+ -j ACCEPT",
        '! -s 192.168.0.0/16 -m comment --comment "not -j DROP" -j ACCEPT',
        "-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",
    ],
)
def test_a_policy_drop_behind_an_accepting_rule_is_silent(accepting: str) -> None:
    """Docker's DROP policy does no harm while the CNI accepts first."""
    rules = ruleset({"FORWARD": ["-m comment --comment x -j CNI"], "CNI": [accepting]}, "DROP")
    assert dropped_by(rules, "forward", POD_TO_POD) is None


@pytest.mark.parametrize(
    "narrow",
    [
        "-s 10.245.0.0/16 -j ACCEPT",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-m mark --mark 0x4000/0x4000 -j ACCEPT",
        "! -i cni0 -j ACCEPT",
    ],
)
def test_rules_for_other_packets_do_not_save(narrow: str) -> None:
    """A rule that cannot take the first packet of the flow changes nothing."""
    rules = ruleset({"FORWARD": [narrow]}, "DROP")
    assert dropped_by(rules, "forward", POD_TO_POD) is not None


@pytest.mark.parametrize(
    "unknown",
    ["-m set --match-set pods src -j ACCEPT", "-s 10.244.1.128/25 -j ACCEPT", "-j NFQUEUE"],
)
def test_doubt_is_no_drop(unknown: str) -> None:
    """Where an earlier rule may accept, nothing is certain; the policy is a suspect."""
    result = verdict(ruleset({"FORWARD": [unknown]}, "DROP"), "forward", POD_TO_POD)
    assert result.drop is None
    assert [s.text for s in result.suspects] == [
        "iptables-nft -t filter: policy of FORWARD is DROP"
    ]


def test_the_dropping_rule_is_named_with_its_removal() -> None:
    """The rule that takes the packet is printed as it can be deleted."""
    spec = "-p udp -m udp --dport 8472 -j DROP"
    drop = verdict(ruleset({"INPUT": ["-p tcp -j DROP", spec]}), "input", VXLAN_IN).drop
    assert drop is not None
    assert drop.text == f"iptables-nft -t filter -A INPUT {spec}"
    assert drop.remove == f"iptables-nft -t filter -D INPUT {spec}"
    assert drop.moved == 3


def test_return_leaves_a_chain() -> None:
    """RETURN skips the rest of its own chain only."""
    chains = {"INPUT": ["-j A", "-p udp -j REJECT"], "A": ["-p udp -j RETURN", "-j ACCEPT"]}
    assert dropped_by(ruleset(chains), "input", VXLAN_IN) == (
        "iptables-nft -t filter -A INPUT -p udp -j REJECT"
    )


def test_a_loss_at_random_is_a_suspect() -> None:
    """A rule that drops a share of the packets drops none for certain."""
    spec = "-p udp -m statistic --mode random --probability 0.3 -j DROP"
    result = verdict(ruleset({"INPUT": [spec]}), "input", VXLAN_IN)
    assert result.drop is None
    assert [s.text for s in result.suspects] == [f"iptables-nft -t filter -A INPUT {spec}"]


UFW = {
    "INPUT": ["-j ufw-before", "-j ufw-user"],
    "ufw-before": [
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-m conntrack --ctstate INVALID -j DROP",
        "-j ufw-not-local",
    ],
    "ufw-not-local": [
        "-m addrtype --dst-type LOCAL -j RETURN",
        "-m addrtype --dst-type MULTICAST -j RETURN",
        "-m addrtype --dst-type BROADCAST -j RETURN",
        "-j DROP",
    ],
    "ufw-user": [],
}


def test_ufw_lets_pass_what_its_user_allowed() -> None:
    """Its drop of what is not local is not for packets to the node."""
    allowed = {**UFW, "ufw-user": ["-p udp -m udp --dport 8472 -j ACCEPT"]}
    assert dropped_by(ruleset(allowed, "DROP"), "input", VXLAN_IN) is None
    policy = "iptables-nft -t filter: policy of INPUT is DROP"
    assert dropped_by(ruleset(UFW, "DROP"), "input", VXLAN_IN) == policy


def test_a_return_that_may_fit_leaves_doubt() -> None:
    """What stands behind it drops nothing for certain."""
    chains = {"INPUT": ["-j A"], "A": ["-m set --match-set friends src -j RETURN", "-j DROP"]}
    result = verdict(ruleset(chains), "input", VXLAN_IN)
    assert result.drop is None
    assert len(result.suspects) == 1


def test_jumps_in_a_circle_end() -> None:
    """A ruleset that no kernel would load does not hang the walk."""
    chains = {"INPUT": ["-j A"], "A": ["-j B"], "B": ["-j A"]}
    assert dropped_by(ruleset(chains), "input", VXLAN_IN) is None


@given(st.text(max_size=60))
def test_any_rule_text_is_judged(spec: str) -> None:
    """Whatever a rule looks like, there is an answer."""
    _, match = judge(spec, VXLAN_IN)
    assert match in Match
