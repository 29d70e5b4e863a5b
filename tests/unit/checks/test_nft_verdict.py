"""Walking native nftables chains."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.checks.nft_verdict import judge, text_of, verdict
from kubectl_netdoctor.checks.packet import Match, Packet, network
from kubectl_netdoctor.facts.netfilter import Nftables, NftChain, NftRule

VXLAN_IN = Packet(network("192.0.2.7"), input="eth0", protocol="udp", destination_port=8472)
DPORT = {
    "match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 8472}
}
RANDOM = {
    "match": {
        "op": "<",
        "left": {"numgen": {"mode": "random", "mod": 100, "offset": 0}},
        "right": 30,
    }
}


def chain(
    *rules: list[Any], name: str = "input", policy: str | None = "accept", **kw: Any
) -> NftChain:
    """A chain of the table inet fw."""
    settings = {"hook": "input", "priority": 0, "device": None, "family": "inet", **kw}
    return NftChain(
        table="fw",
        name=name,
        policy=policy,
        rules=tuple(NftRule(i + 2, json.dumps(r), 5, 5) for i, r in enumerate(rules)),
        **settings,
    )


def drops(*chains: NftChain, packet: Packet = VXLAN_IN) -> str | None:
    """Text of the certain drop on input."""
    found = verdict(Nftables(1.0, chains), "input", packet).drop
    return found.text if found else None


def test_a_port_drop_is_named() -> None:
    """The rule is named by its handle, which is what deletes it."""
    found = verdict(Nftables(1.0, (chain([DPORT, {"drop": None}]),)), "input", VXLAN_IN).drop
    assert found is not None
    assert found.text == "nft rule inet fw input handle 2: udp dport 8472 drop"
    assert found.remove == "nft delete rule inet fw input handle 2"


def test_other_ports_pass() -> None:
    """A drop of another port, protocol or source is not ours."""
    other = {"match": {"op": "==", "left": DPORT["match"]["left"], "right": 4789}}
    assert drops(chain([other, {"drop": None}])) is None


@pytest.mark.parametrize(
    ("right", "dropped"),
    [
        ({"set": [8472, 4789]}, True),
        ({"set": [{"range": [8000, 9000]}]}, True),
        ({"range": [1, 100]}, False),
        ("@ports", False),
    ],
)
def test_sets_and_ranges(right: Any, dropped: bool) -> None:
    """Anonymous sets and ranges are read; named sets are not, so they prove nothing."""
    rule = [{"match": {**DPORT["match"], "right": right}}, {"drop": None}]
    assert (drops(chain(rule)) is not None) is dropped


def test_policy_drop_with_an_accept() -> None:
    """An accept of the packet before the policy saves it; an accept that may fit leaves doubt."""
    assert drops(chain(policy="drop")) == "nft chain inet fw input: policy drop"
    assert drops(chain([DPORT, {"accept": None}], policy="drop")) is None
    unsure = [
        {"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": 0}},
        {"accept": None},
    ]
    assert drops(chain(unsure, policy="drop")) is None


def test_every_base_chain_must_accept() -> None:
    """An accept ends its own chain only; a later base chain still drops."""
    first = chain([{"accept": None}], name="first")
    assert drops(first, chain([{"drop": None}], name="second")) is not None


def test_a_jump_is_followed() -> None:
    """A drop in a chain that is jumped to counts."""
    inner = chain([DPORT, {"reject": None}], name="inner", hook=None, policy=None)
    assert drops(chain([{"jump": {"target": "inner"}}]), inner) is not None


DNAT = [
    {"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}},
    {"accept": None},
]


def test_an_accept_of_translated_packets_is_not_ours() -> None:
    """The rule that firewalld begins with says nothing about a first packet to this address."""
    assert drops(chain(DNAT, [{"reject": None}])) is not None


def test_a_goto_does_not_come_back() -> None:
    """Behind a goto whose chain ends, the rest of the calling chain is skipped."""
    zone = chain([{"counter": None}], name="zone", hook=None, policy=None)
    assert drops(chain([{"goto": {"target": "zone"}}], [{"drop": None}]), zone) is None
    assert drops(chain([{"jump": {"target": "zone"}}], [{"drop": None}]), zone) is not None


def test_loss_at_random_is_a_suspect() -> None:
    """`numgen random` drops a share, none for certain, and is shown in nft's own words."""
    rule = [RANDOM, {"counter": {"packets": 5, "bytes": 9}}, {"drop": None}]
    ingress = chain(rule, family="netdev", hook="ingress", device="eth0")
    result = verdict(Nftables(1.0, (ingress,)), "input", VXLAN_IN)
    assert result.drop is None
    assert "numgen random mod 100 < 30 drop" in result.suspects[0].text


def test_another_device_is_not_ours() -> None:
    """An ingress chain belongs to its device."""
    other = chain([{"drop": None}], family="netdev", hook="ingress", device="eth1")
    assert drops(other) is None


@given(st.text(max_size=40) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda i: st.lists(i, max_size=3) | st.dictionaries(
        st.sampled_from(["match", "left", "right", "op", "payload", "drop", "jump", "set"]), i, max_size=3),
    max_leaves=10,
).map(json.dumps))  # fmt: skip
def test_any_expression_is_judged(expression: str) -> None:
    """Whatever nft printed, there is an answer and a text."""
    match, _, _ = judge(expression, VXLAN_IN)
    assert match in Match
    assert isinstance(text_of(expression), str)
