"""Every passive collector on every recorded node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_netdoctor.facts import codec
from kubectl_netdoctor.facts.base import FACTS, Missing
from tests.fixtures.plans import PASSIVE
from tests.fixtures.recorded import NODES, facts_of


@pytest.fixture(scope="module")
def lab() -> dict[str, Any]:
    """Facts of a node of the lab's flannel cluster."""
    return facts_of(NODES / "lab-flannel")


@pytest.fixture(scope="module")
def router() -> dict[str, Any]:
    """Facts of a namespace with one of everything that routing and filtering know."""
    return facts_of(NODES / "router")


def test_nothing_has_changed(recorded: Path) -> None:
    """What the collectors make of a node is what was accepted (`record.py NAME --accept`)."""
    assert json.loads((recorded / "expected.json").read_text()) == facts_of(recorded)


def test_every_fact_has_its_wire_form(recorded: Path) -> None:
    """The laptop's strict decoder reads every fact."""
    for key, value in facts_of(recorded).items():
        if "missing" in value:
            codec.decode(Missing, value)
            continue
        whole = {"window_seconds": 0.0, **value} if _has_window(key) else value
        assert codec.encode(codec.decode(FACTS[key].cls, whole)) == whole


def _has_window(key: str) -> bool:
    return "window_seconds" in FACTS[key].cls.__annotations__


def test_no_passive_fact_is_forgotten(lab: dict[str, Any]) -> None:
    """The lab's node has them all."""
    assert [key for key, value in lab.items() if "missing" in value] == []
    assert set(lab) == set(PASSIVE)


def test_flannel_device(lab: dict[str, Any]) -> None:
    """The tunnel device has its parameters, its driver and its features."""
    flannel = next(i for i in lab["interfaces"]["items"] if i["name"] == "flannel.1")
    assert flannel["kind"] == "vxlan"
    assert flannel["driver"] == "vxlan"
    assert flannel["mtu"] == 1450
    assert flannel["vxlan"] == {
        "vni": 1,
        "port": 8472,
        "local": "198.18.0.11",
        "parent": 2,
        "learning": False,
        "external": False,
    }
    assert flannel["offloads"]["tx-checksum-ip-generic"] is True


def test_pod_link_hangs_on_the_bridge(lab: dict[str, Any]) -> None:
    """A pod's veth names its bridge, and has hairpin mode."""
    links = {i["name"]: i for i in lab["interfaces"]["items"]}
    pod = next(i for name, i in links.items() if name.startswith("veth"))
    assert pod["master"] == links["cni0"]["index"]
    assert pod["hairpin"] is True
    assert links["cni0"]["hairpin"] is None


def test_uplink_moved(lab: dict[str, Any]) -> None:
    """Deltas are what the two readings differ by, and list only what moved."""
    uplink = next(i for i in lab["interfaces"]["items"] if i["name"] == "eth0")
    assert uplink["deltas"]["rx_packets"] > 0
    assert all(uplink["deltas"].values())
    assert uplink["deltas"]["rx_packets"] < uplink["counters"]["rx_packets"]


def test_every_peer_has_route_neighbour_and_entry(lab: dict[str, Any]) -> None:
    """What flannel makes for a peer is there in its three tables."""
    routes = [r for r in lab["routes"]["items"] if r["interface"] == "flannel.1" and r["onlink"]]
    gateways = {r["gateway"] for r in routes}
    neighbours = {
        n["address"]: n["lladdr"]
        for n in lab["neighbours"]["items"]
        if n["interface"] == "flannel.1" and n["state"] == "permanent"
    }
    entries = {
        f["lladdr"]: f["destination"] for f in lab["fdb"]["items"] if f["interface"] == "flannel.1"
    }
    assert len(gateways) == 2
    assert gateways == set(neighbours)
    assert {entries[mac] for mac in neighbours.values()} == {"198.18.0.12", "198.18.0.13"}


def test_kube_proxy_chains(lab: dict[str, Any]) -> None:
    """kube-proxy's chains are there with counters, and the canary without a policy."""
    chains = {(c["table"], c["name"]): c for c in lab["iptables"]["nft"]["chains"]}
    services = chains["nat", "KUBE-SERVICES"]
    assert services["policy"] is None
    assert any("--dport 53" in rule["spec"] for rule in services["rules"])
    assert chains["filter", "INPUT"]["policy"] == "ACCEPT"
    assert any(rule["moved"] for rule in chains["filter", "INPUT"]["rules"])
    assert lab["iptables"]["legacy"]["chains"] == []
    assert lab["nftables"]["chains"] == []


def test_kubelet_says_what_pods_get(lab: dict[str, Any]) -> None:
    """The resolver fact joins the node's file with the kubelet's settings."""
    assert lab["resolver"]["kubelet"] == {
        "resolv_conf": "/etc/resolv.conf",
        "cluster_dns": ["198.19.128.10"],
        "cluster_domain": "cluster.local",
    }
    assert lab["resolver"]["pods"] == lab["resolver"]["node"]


def test_components_of_a_multi_call_binary(lab: dict[str, Any]) -> None:
    """Kubelet and kube-proxy run as one `hyperkube` here, and are found by their first argument."""
    assert {"kubelet", "kube-proxy", "flanneld", "containerd"} <= set(
        lab["components"]["processes"]
    )
    assert lab["components"]["kube_proxy_healthz"] == 200


def test_patterns_become_real_names(lab: dict[str, Any]) -> None:
    """A pattern stands for the interfaces of the node; a dot in a name is a slash."""
    values = lab["sysctls"]["values"]
    assert values["net.ipv4.conf.flannel/1.rp_filter"] == "0"
    assert values["net.ipv4.ip_forward"] == "1"
    assert "net.ipv4.conf.*.rp_filter" not in values


def test_two_legacy_worlds_at_once(router: dict[str, Any]) -> None:
    """Both iptables backends are in force, and each shows its own rules and movement."""
    legacy = {(c["table"], c["name"]): c for c in router["iptables"]["legacy"]["chains"]}
    assert legacy["filter", "FORWARD"]["policy"] == "DROP"
    assert legacy["filter", "INPUT"]["moved"] > 0
    (masquerade,) = legacy["nat", "POSTROUTING"]["rules"]
    assert masquerade["spec"].endswith('"two words \\"quoted\\" -A x" -j MASQUERADE')
    nft = {(c["table"], c["name"]): c for c in router["iptables"]["nft"]["chains"]}
    assert [r["spec"] for r in nft["filter", "FORWARD"]["rules"]] == [
        '-d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT'
    ] * 2


def test_native_tables_only(router: dict[str, Any]) -> None:
    """iptables-nft's tables are left out; `ip raw` has a chain that is not iptables' and stays."""
    chains = {(c["family"], c["table"], c["name"]): c for c in router["nftables"]["chains"]}
    assert set(chains) == {
        ("inet", "firewalld", "input"),
        ("inet", "firewalld", "more"),
        ("ip", "raw", "mychain"),
        ("netdev", "t", "ing"),
        ("ip", "kube-proxy", "services"),
    }
    own = chains["inet", "firewalld", "input"]
    assert (own["hook"], own["priority"], own["policy"]) == ("input", 10, "drop")
    assert own["rules"][0]["moved"] > 0
    assert own["rules"][0]["expression"].endswith('{"counter":null},{"accept":null}]')
    assert own["rules"][1]["packets"] is None
    assert own["rules"][1]["moved"] is None
    assert chains["inet", "firewalld", "more"]["hook"] is None


def test_routes_of_every_kind(router: dict[str, Any]) -> None:
    """Multipath is one route per hop, and a gateway of the other family is a gateway."""
    routes = router["routes"]["items"]
    main = [r for r in routes if r["table"] == 254 and r["family"] == 4]
    assert [(r["gateway"], r["metric"]) for r in main if r["destination"] == "0.0.0.0/0"] == [
        ("10.1.0.254", 100),
        ("10.2.0.254", 100),
    ]
    by_destination = {r["destination"]: r for r in main}
    assert by_destination["10.96.0.0/12"]["gateway"] == "2001:db8::9"
    assert by_destination["10.96.0.0/12"]["protocol"] == "bird"
    assert by_destination["10.244.3.0/26"]["kind"] == "blackhole"
    assert by_destination["10.77.0.0/16"]["kind"] == "unreachable"
    assert by_destination["10.244.4.0/24"]["mtu"] == 1450
    assert by_destination["10.244.4.0/24"]["onlink"] is True
    assert [r["destination"] for r in routes if r["table"] == 100] == ["0.0.0.0/0"]
    assert {r["table"] for r in routes}.isdisjoint({255})
    assert any(r["destination"] == "::/0" and r["gateway"] == "2001:db8::fe" for r in routes)


def test_rules_of_every_kind(router: dict[str, Any]) -> None:
    """Policy rules keep their selectors; `not` is part of the action."""
    rules = {r["priority"]: r for r in router["rules"]["items"] if r["family"] == 4}
    assert rules[96]["action"] == "goto"
    assert (rules[97]["action"], rules[97]["output_interface"]) == ("prohibit", "eth1")
    assert (rules[98]["destination"], rules[98]["input_interface"]) == ("10.9.0.0/16", "eth1")
    assert (rules[99]["action"], rules[99]["mark"]) == ("not lookup", 0x100000)
    assert (rules[100]["source"], rules[100]["table"]) == ("10.2.0.0/16", 100)


def test_tunnels_of_every_kind(router: dict[str, Any]) -> None:
    """IPv4, IPv6 and external vxlan links, and their entries."""
    links = {i["name"]: i["vxlan"] for i in router["interfaces"]["items"] if i["vxlan"]}
    assert links["vx4"]["learning"] is False
    assert links["vx6"]["local"] == "2001:db8::1"
    assert links["vxe"]["external"] is True
    entries = [f for f in router["fdb"]["items"] if f["destination"]]
    assert {(f["interface"], f["destination"], f["port"], f["vni"]) for f in entries} == {
        ("vx4", "10.1.0.7", None, None),
        ("vx4", "10.1.0.8", 4789, 12),
        ("vx6", "2001:db8::7", None, None),
    }
    assert {f["state"] for f in entries} == {"permanent"}


def test_neighbours_without_groups(router: dict[str, Any]) -> None:
    """Failed and permanent neighbours are listed, multicast groups are not."""
    states = {n["address"]: n["state"] for n in router["neighbours"]["items"]}
    assert states["10.1.0.9"] == "failed"
    assert states["10.1.0.7"] == "permanent"
    assert not [address for address in states if address.startswith("ff02::")]


def test_point_to_point_address_is_the_own_one(router: dict[str, Any]) -> None:
    """IFA_ADDRESS of a point-to-point link is the peer's."""
    addresses = {a["address"] for a in router["addresses"]["items"]}
    assert "10.250.0.1" in addresses
    assert "10.250.0.2" not in addresses
