"""MTU-06."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.link import Interface, Interfaces, Route, Routes
from kubectl_netdoctor.facts.netfilter import (
    Iptables,
    IptablesChain,
    IptablesRule,
    IptablesRuleset,
    Nftables,
    NftChain,
    NftRule,
)
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.pod_sockets import add, pod, with_pods
from tests.unit.recorded import change_node, findings, healthy, outcomes, without

CLAMP = "-o wg0 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"


def narrow(route_mtu: int | None = None, device_mtu: int = 1500) -> Snapshot:
    """n3 with a default route over a narrower way."""
    way = Route(
        4, "0.0.0.0/0", "198.18.0.1", "wg0", 254, "unicast", "static", "global", 0, None, route_mtu, False
    )  # fmt: skip

    def routes(fact: Routes) -> Routes:
        kept = tuple(r for r in fact.items if r.destination != "0.0.0.0/0")
        return dataclasses.replace(fact, items=(*kept, way))

    def links(fact: Interfaces) -> Interfaces:
        eth0 = next(i for i in fact.items if i.name == "eth0")
        wg0: Interface = dataclasses.replace(eth0, name="wg0", index=99, mtu=device_mtu)
        return dataclasses.replace(fact, items=(*fact.items, wg0))

    snapshot = with_pods(pod("shop", "198.19.2.7"))
    return change_node(change_node(snapshot, "n3", Routes, routes), "n3", Interfaces, links)


def test_a_vpn_as_way_out() -> None:
    """Both sizes, and the commands that clamp."""
    (found,) = findings("MTU-06", narrow(device_mtu=1420))
    assert found.title == "The way out takes 1420 bytes, pods send and ask for 1450"
    assert found.severity == "low"
    assert found.confidence == "possible"
    assert found.fix.commands[1].endswith("--set-mss 1380")


def test_a_routes_own_mtu_counts() -> None:
    """PPPoE clients set it."""
    (found,) = findings("MTU-06", narrow(route_mtu=1400))
    assert "the route's MTU on wg0 1400" in found.evidence[0].text


def test_a_clamping_rule_is_enough() -> None:
    """Of iptables, or of nftables."""
    chain = IptablesChain("mangle", "FORWARD", "ACCEPT", 0, 0, (IptablesRule(CLAMP, 0, 0),))

    def iptables(fact: Iptables) -> Iptables:
        assert isinstance(fact.nft, IptablesRuleset)
        more = dataclasses.replace(fact.nft, chains=(*fact.nft.chains, chain))
        return dataclasses.replace(fact, nft=more)

    assert findings("MTU-06", change_node(narrow(1400), "n3", Iptables, iptables)) == []
    rule = NftRule(1, '[{"mangle": {"key": {"tcp option": {"name": "maxseg"}}}}]', None, None)
    table = NftChain("inet", "fw", "forward", "forward", 0, "accept", None, (rule,))

    def nftables(fact: Nftables) -> Nftables:
        return dataclasses.replace(fact, chains=(*fact.chains, table))

    assert findings("MTU-06", change_node(narrow(1400), "n3", Nftables, nftables)) == []


def test_unread_filters_leave_it_open() -> None:
    """The rule may be there."""
    denial = Missing(Reason.DENIED, "no root")
    assert findings("MTU-06", add(narrow(1400), "n3", Iptables(1.0, denial, denial))) == []
    absent = Missing(Reason.NOT_PRESENT, "not installed")
    assert findings("MTU-06", add(narrow(1400), "n3", Iptables(1.0, absent, absent)))
    denied = change_node(narrow(1400), "n3", Nftables, lambda _: denial)
    assert findings("MTU-06", denied) == []
    assert "Skipped" in outcomes("MTU-06", denied)


def test_silence() -> None:
    """Room enough, no default route, no fact."""
    assert findings("MTU-06", narrow(device_mtu=1450)) == []
    assert outcomes("MTU-06", with_pods()) == {"Passed"}
    assert outcomes("MTU-06", healthy()) == {"Passed"}
    assert outcomes("MTU-06", without(healthy(), PodNamespaces)) == {"Skipped"}
