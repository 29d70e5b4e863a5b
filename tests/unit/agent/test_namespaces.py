"""Collectors and probes on real kernels: one namespace is the node, another one its peer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.plan import PeerTarget, TcpTarget
from kubectl_netdoctor.facts.probe import PathProbe
from tests.fixtures.plans import plan
from tests.unit.agent.agent_process import run_agent
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

pytestmark = needs_root

NODE = """
ip link add veth0 type veth peer name veth1 netns {peer}
ip link set veth0 up
ip addr add 10.9.0.1/24 dev veth0
ip addr add fd09::1/64 dev veth0 nodad
ip route add unreachable 10.77.0.0/24
ip route add 10.99.0.0/16 via 10.9.0.2
sysctl -qw net.ipv4.ping_group_range='0 2147483647' net.ipv4.conf.veth0.rp_filter=1
ip link add vxlan1 type vxlan id 1 local 10.9.0.1 dev veth0 dstport 8472 nolearning
ip link set vxlan1 up
bridge fdb append 02:00:00:00:00:07 dev vxlan1 dst 10.9.0.7
ip link add br0 type bridge
ip link add pod0 type veth peer name pod1
ip link set pod0 master br0 up
bridge link set dev pod0 hairpin on
ip rule add fwmark 0x4000 lookup 100 priority 77
"""
PEER = """
ip link set veth1 up
for n in 2 3 4 5; do ip addr add 10.9.0.$n/24 dev veth1; done
ip addr add fd09::2/64 dev veth1 nodad
sysctl -qw net.ipv4.icmp_ratelimit=0
"""
PEER_RULES = """
table inet filter {
  chain input {
    type filter hook input priority 0; policy accept;
    ip daddr 10.9.0.3 icmp type echo-request reject with icmp type host-prohibited
    ip daddr 10.9.0.4 drop
    tcp dport 81 reject with icmp type admin-prohibited
    tcp dport 82 reject with icmp type port-unreachable
    tcp dport 83 drop
  }
}
"""
NODE_RULES = """
table inet filter {
  chain output {
    type filter hook output priority 0; policy accept;
    ip daddr 10.9.0.5 drop
    ip daddr 10.9.0.2 icmp type echo-request counter accept
  }
}
"""
LISTENER = """
import socket
servers = [socket.create_server(("10.9.0.2", 80)), socket.create_server(("fd09::2", 80), family=socket.AF_INET6)]
print("ready", flush=True)
input()
"""
PEERS = {
    "healthy": PeerTarget("healthy", "10.9.0.2", "fd09::2"),
    "rejects": PeerTarget("rejects", "10.9.0.3", None),
    "drops": PeerTarget("drops", "10.9.0.4", None),
    "blocked": PeerTarget("blocked", "10.9.0.5", None),
    "gone": PeerTarget("gone", "10.9.0.66", "fd09::66"),
    "unrouted": PeerTarget("unrouted", "10.77.0.1", "10.200.0.1"),
    "beyond": PeerTarget("beyond", "10.99.0.1", None),
}
PORTS = {80: "open", 81: "prohibited", 82: "unreachable", 83: "dropped", 84: "closed"}
PATHS = plan(
    facts=("path_probes",),
    window_seconds=0.6,
    peers=tuple(PEERS.values()),
    tcp=(
        *(TcpTarget("node", "10.9.0.2", port) for port in PORTS),
        TcpTarget("node", "fd09::2", 80),
        TcpTarget("api-server", "10.9.0.66", 6443),
    ),
)


@pytest.fixture(scope="module")
def node() -> Iterator[Namespace]:
    """The node, beside a peer that listens, rejects and drops."""
    with namespace() as own, namespace() as peer:
        own.sh(NODE.format(peer=peer.name))
        peer.sh(PEER)
        peer.nft(PEER_RULES)
        own.nft(NODE_RULES)
        with subprocess.Popen(
            [*peer.prefix, sys.executable, "-c", LISTENER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as listener:
            assert listener.stdout
            assert listener.stdout.readline() == b"ready\n"
            yield own
            listener.kill()


Found = dict[tuple[str | None, str, int | None], PathProbe]


def by_target(items: tuple[PathProbe, ...]) -> Found:
    """Probes by peer, protocol or role, and port."""
    return {(p.peer, "overlay" if p.role == "overlay" else p.protocol, p.port): p for p in items}


@pytest.fixture(scope="module")
def paths(node: Namespace) -> Found:
    """What the node's probes saw."""
    report = run_agent(PATHS, prefix=node.prefix)
    assert [line for line in report.log if not line.startswith("used ")] == []
    return by_target(report.facts["path_probes"].items)


@pytest.fixture(scope="module")
def unprivileged(node: Namespace) -> tuple[Found, tuple[str, ...]]:
    """What they see without any capability, over ping sockets, and the log."""
    drop = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    report = run_agent(PATHS, prefix=(*node.prefix, *drop))
    return by_target(report.facts["path_probes"].items), report.log


def test_sums(paths: Found, unprivileged: tuple[Found, tuple[str, ...]]) -> None:
    """Every probe is an answer or an error."""
    for probe in (*paths.values(), *unprivileged[0].values()):
        assert probe.sent == probe.received + sum(probe.errors.values())
        assert len(probe.rtt_ms) == probe.received


@pytest.mark.parametrize("kind", ["icmp", "overlay"])
def test_a_healthy_peer_answers_all(paths: Found, kind: str) -> None:
    """IPv4 to the node and IPv6 to its overlay address, in well below a millisecond."""
    probe = paths["healthy", kind, None]
    assert probe.errors == {}
    assert probe.received == probe.sent >= 5
    assert 0 < sorted(probe.rtt_ms)[len(probe.rtt_ms) // 2] < 5


@pytest.mark.parametrize(
    ("peer", "kind", "error"),
    [
        ("rejects", "icmp", "admin-prohibited"),
        ("drops", "icmp", "timeout"),
        ("blocked", "icmp", "not-permitted"),
        ("gone", "icmp", "neighbour-failed"),
        ("gone", "overlay", "neighbour-failed"),
        ("unrouted", "icmp", "no-route"),
        ("unrouted", "overlay", "no-route"),
        ("beyond", "icmp", "timeout"),
    ],
)
def test_errors_have_their_names(
    paths: Found,
    unprivileged: tuple[Found, tuple[str, ...]],
    peer: str,
    kind: str,
    error: str,
) -> None:
    """A local refusal, a reject, a missing route and silence are four things, for any socket."""
    for found in (paths, unprivileged[0]):
        probe = found[peer, kind, None]
        assert probe.received == 0
        assert probe.errors == {error: probe.sent}


def test_arp_shows_who_is_on_the_link(paths: Found) -> None:
    """A firewall cannot hide a host from ARP; a host that is gone is silent; a router hides all."""
    for peer in ("healthy", "rejects", "drops", "blocked"):
        assert (paths[peer, "arp", None].received, paths[peer, "arp", None].errors) == (3, {})
    assert paths["gone", "arp", None].errors == {"timeout": 3}
    assert ("beyond", "arp", None) not in paths
    assert ("unrouted", "arp", None) not in paths


@pytest.mark.parametrize(
    ("port", "error"),
    [
        (81, "admin-prohibited"),
        (82, "port-unreachable"),
        (83, "timeout"),
        (84, "refused"),
    ],
)
def test_tcp_errors(paths: Found, port: int, error: str) -> None:
    """A reset is not a reject, though connect(2) says the same of both."""
    assert paths["healthy", "tcp", port].errors == {error: 5}


def test_tcp_connects(paths: Found) -> None:
    """Both IP versions; an address that is no peer has no peer's name."""
    assert paths["healthy", "tcp", 80].received == 5
    assert max(paths["healthy", "tcp", 80].rtt_ms) < 100
    gone = paths["gone", "tcp", 6443]
    assert (gone.role, gone.errors) == ("api-server", {"neighbour-failed": 5})


def test_without_rights(unprivileged: tuple[Found, tuple[str, ...]]) -> None:
    """Ping sockets answer like raw ones; ARP is not there, and the log says why."""
    found, log = unprivileged
    assert found["healthy", "icmp", None].errors == {}
    assert log[:-1] == ("path_probes: no ARP: needs root: packet sockets",)


@pytest.fixture(scope="module")
def facts(node: Namespace) -> dict[str, Any]:
    """Passive facts of the node, while something pings its peer."""
    keys = ("interfaces", "routes", "rules", "fdb", "neighbours", "iptables", "nftables", "sysctls")
    asked = plan(
        facts=keys,
        window_seconds=0.6,
        sysctls=("net.ipv4.conf.*.rp_filter", "net.ipv4.neigh.default.gc_thresh3"),
    )
    ping = [*node.prefix, "ping", "-q", "-i", "0.1", "10.9.0.2"]
    with subprocess.Popen(ping, stdout=subprocess.DEVNULL) as running:
        try:
            return run_agent(asked, prefix=node.prefix).facts
        finally:
            running.kill()


def test_links(facts: dict[str, Any]) -> None:
    """Netlink and ethtool agree with what was made."""
    links = facts["interfaces"]
    vxlan = links.named("vxlan1")
    assert (vxlan.vxlan.vni, vxlan.vxlan.port, vxlan.vxlan.local) == (1, 8472, "10.9.0.1")
    assert vxlan.vxlan.parent == links.named("veth0").index
    assert vxlan.vxlan.learning is False
    pod = links.named("pod0")
    assert pod.hairpin is True
    assert links.indexed(pod.master).name == "br0"
    assert links.named("veth0").driver == "veth"
    assert links.named("veth0").deltas["rx_packets"] > 0
    assert "rx-gro" in links.named("veth0").offloads


def test_tables(facts: dict[str, Any]) -> None:
    """Routes, rules, forwarding entries and neighbours."""
    assert ("10.99.0.0/16", "10.9.0.2") in {
        (r.destination, r.gateway) for r in facts["routes"].items
    }
    assert ("lookup", 0x4000, 100) in {(r.action, r.mark, r.table) for r in facts["rules"].items}
    (entry,) = [e for e in facts["fdb"].items if e.interface == "vxlan1"]
    assert (entry.lladdr, entry.destination) == ("02:00:00:00:00:07", "10.9.0.7")
    states = {n.address: n.state for n in facts["neighbours"].items}
    assert states["10.9.0.2"] in ("reachable", "stale", "delay", "probe")
    assert facts["routes"].truncated == 0


def test_native_rules_count(facts: dict[str, Any]) -> None:
    """The rule that counts the pings moved inside the window."""
    (chain,) = facts["nftables"].chains
    assert (chain.family, chain.table, chain.hook, chain.policy) == (
        "inet",
        "filter",
        "output",
        "accept",
    )
    assert chain.rules[1].moved > 0
    assert facts["iptables"].nft.chains == ()


def test_sysctls_of_the_namespace(facts: dict[str, Any]) -> None:
    """They are the namespace's own, and what it has not is Missing."""
    values = facts["sysctls"].values
    assert values["net.ipv4.conf.veth0.rp_filter"] == "1"
    missing = values["net.ipv4.neigh.default.gc_thresh3"]
    assert isinstance(missing, Missing)
    assert missing.reason is Reason.NOT_PRESENT


def test_tables_are_bounded(node: Namespace) -> None:
    """What the bound cuts off is counted."""
    code = (
        "from kubectl_netdoctor.agent import main\n"
        "from kubectl_netdoctor.agent.collectors import routes\n"
        "routes.MOST = 1\n"
        "main.main()\n"
    )
    report = run_agent(
        plan(facts=("routes",), window_seconds=0.0),
        prefix=node.prefix,
        command=(sys.executable, "-c", code),
    )
    routes = report.facts["routes"]
    assert len(routes.items) == 1
    assert routes.truncated > 3
