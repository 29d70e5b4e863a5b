"""NF-02."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.cluster import EndpointSlices
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.firewalls import ANSWERS, REJECT, accept, iptables_rule, nft_chain, port
from tests.unit.recorded import (
    change_cluster,
    change_items,
    findings,
    healthy,
    outcomes,
    recorded,
)


def api_on(address: str) -> Snapshot:
    """The API server at another address."""

    def move(piece: Any) -> Any:
        if piece.service != "kubernetes":
            return piece
        ends = tuple(dataclasses.replace(e, addresses=(address,)) for e in piece.endpoints)
        return dataclasses.replace(piece, endpoints=ends)

    return change_cluster(healthy(), EndpointSlices, change_items(EndpointSlices, move))


def test_a_ruleset_that_rejects_all_but_ssh_fires() -> None:
    """Tunnel and kubelet, one finding, told as a rejection."""
    (found,) = findings("NF-02", nft_chain(healthy(), "input", ANSWERS, port("tcp", 22), REJECT))
    assert found.nodes == {"n3"}
    assert "rejects cluster traffic: the overlay, the kubelet" in found.title
    assert "firewall-cmd --permanent --add-port=10250/tcp" in found.fix.commands
    assert "firewall-cmd --permanent --add-port=8472/udp" in found.fix.commands
    assert found.fix.commands[0] == "nft delete rule inet by_hand inputs handle 6"


def test_a_policy_that_drops_is_told_as_a_drop() -> None:
    """Clients time out."""
    (found,) = findings("NF-02", nft_chain(healthy(), "input", ANSWERS, policy="drop"))
    assert "drops cluster traffic" in found.title


def test_a_ruleset_that_knows_the_cluster_is_silent() -> None:
    """The same policy with the ports of a node."""
    known = nft_chain(
        healthy(), "input", ANSWERS, port("udp", 8472), port("tcp", 10250),
        accept({"meta": {"key": "iifname"}}, "cni0"), policy="drop",
    )  # fmt: skip
    assert findings("NF-02", known) == []


def test_one_kind_alone_is_another_check() -> None:
    """The tunnel's port is ENC-01, the kubelet's NF-05, all that is forwarded NF-01."""
    assert findings("NF-02", recorded("vxlan_port_blocked")) == []
    assert findings("NF-02", recorded("forward_drop")) == []
    kubelet = iptables_rule(healthy(), "nft", "INPUT", "-p tcp -m tcp --dport 10250 -j DROP")
    assert findings("NF-02", kubelet) == []


def test_pods_that_cannot_reach_the_api_server_fire() -> None:
    """A rule for what leaves by the uplink."""
    (found,) = findings("NF-02", iptables_rule(healthy(), "nft", "FORWARD", "-o eth0 -j REJECT"))
    assert found.title.endswith("rejects cluster traffic: pods to the API server")


def test_the_api_servers_own_node() -> None:
    """Its port is needed from all nodes, and its pods meet INPUT."""
    closed = api_on("198.18.0.13")
    rule = "-p tcp -m tcp --dport 6443 -j DROP"
    (found,) = findings("NF-02", iptables_rule(closed, "nft", "INPUT", rule))
    assert "the API server" in found.title
    assert findings("NF-02", closed) == []


def test_a_rule_that_may_or_may_not_take_it_is_silent() -> None:
    """A match that we do not understand proves nothing."""
    spec = "-p tcp -m set --match-set strangers src -j DROP"
    assert findings("NF-02", iptables_rule(healthy(), "nft", "INPUT", spec)) == []


def test_the_healthy_lab_is_silent() -> None:
    """Every node could be judged, and nothing is taken."""
    assert outcomes("NF-02", healthy()) == {"Passed"}
