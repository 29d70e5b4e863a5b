"""Path MTU on real kernels: a node, a router, a switch, and peers behind them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from kubectl_netdoctor.facts.path_mtu import PathMtu, PathMtus, TooBig
from kubectl_netdoctor.facts.plan import PeerTarget
from tests.fixtures.plans import plan
from tests.unit.agent.agent_process import run_agent
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

pytestmark = needs_root

NODE = """
ip link add up0 type veth peer name node netns {router}
ip link set up0 up
ip addr add 10.1.0.1/24 dev up0
ip route add default via 10.1.0.254
ip route add 10.26.0.1 via 10.1.0.254 mtu 1300
ip link add sw0 type veth peer name node netns {switch}
ip link set sw0 up
ip addr add 10.40.0.1/24 dev sw0
"""
ROUTER = """
ip addr add 10.1.0.254/24 dev node
ip link set node up
ip link add peers type veth peer name up0 netns {peer}
ip link set peers up
ip addr add 10.2.0.254/24 dev peers
for n in 21 22 23 24 25 26; do ip route add 10.$n.0.1 via 10.2.0.1; done
ip route change 10.21.0.1 via 10.2.0.1 mtu lock 1400
ip route change 10.22.0.1 via 10.2.0.1 mtu lock 1333
sysctl -qw net.ipv4.ip_forward=1
"""
ROUTER_RULES = """
table inet filter {
  chain output {
    type filter hook output priority 0; policy accept;
    icmp type destination-unreachable @th,192,32 0x0a160001 drop
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip daddr 10.23.0.1 numgen random mod 100 < 60 drop
    ip daddr 10.24.0.1 ip frag-off & 0x1fff != 0 drop
    ip daddr 10.25.0.1 drop
  }
}
"""
SWITCH = """
ip link add br0 type bridge
ip link set br0 up
ip link add far type veth peer name sw0 netns {peer}
ip link set node master br0 up
ip link set far master br0 up mtu 1400
"""
PEER = """
ip link set up0 up
ip addr add 10.2.0.1/24 dev up0
for n in 21 22 23 24 25 26; do ip addr add 10.$n.0.1/32 dev lo; done
ip route add 10.1.0.0/24 via 10.2.0.254
ip link set sw0 up
ip addr add 10.40.0.2/24 dev sw0
"""
PEERS = (
    PeerTarget("healthy", "10.2.0.1", None),
    PeerTarget("told", "10.21.0.1", None),
    PeerTarget("hole", "10.22.0.1", None),
    PeerTarget("lossy", "10.23.0.1", None),
    PeerTarget("whole", "10.24.0.1", None),
    PeerTarget("silent", "10.25.0.1", "fd09::1"),
    PeerTarget("switched", "10.40.0.2", None),
    PeerTarget("routed", "10.26.0.1", "10.26.0.1"),
    PeerTarget("nowhere", "a name", None),
)
ASKED = plan(facts=("path_mtu",), window_seconds=0.6, peers=PEERS)


@pytest.fixture(scope="module")
def node() -> Iterator[Namespace]:
    """The node, with a router and a switch between it and its peers."""
    with namespace() as own, namespace() as router, namespace() as switch, namespace() as peer:
        own.sh(NODE.format(router=router.name, switch=switch.name))
        router.sh(ROUTER.format(peer=peer.name))
        router.nft(ROUTER_RULES)
        switch.sh(SWITCH.format(peer=peer.name))
        peer.sh(PEER)
        yield own


@pytest.fixture(scope="module")
def fact(node: Namespace) -> PathMtus:
    """What the node measured."""
    report = run_agent(ASKED, prefix=node.prefix)
    found = report.facts["path_mtu"]
    assert isinstance(found, PathMtus), found
    assert [line for line in report.log if not line.startswith("used ")] == []
    return found


def path(fact: PathMtus, peer: str, role: str = "node") -> PathMtu:
    """The path to one peer."""
    return next(p for p in fact.items if (p.peer, p.role) == (peer, role))


def test_sums(fact: PathMtus) -> None:
    """Every packet is an answer or an error, and what cannot be measured is not listed."""
    for found in fact.items:
        for size in found.sizes:
            assert size.sent == size.received + sum(size.errors.values()), found
    assert {p.peer for p in fact.items} == {p.name for p in PEERS} - {"nowhere"}
    assert {p.role for p in fact.items if p.peer == "silent"} == {"node"}


def test_a_healthy_path_costs_two_packets(fact: PathMtus) -> None:
    """One of the device's MTU, and one in fragments."""
    found = path(fact, "healthy")
    assert [(s.size, s.sent, s.received) for s in found.sizes] == [(1500, 1, 1)]
    assert (found.device, found.device_mtu, found.route_mtu) == ("up0", 1500, None)
    assert found.gateway == "10.1.0.254"
    assert found.fragmented is not None
    assert (found.fragmented.size, found.fragmented.received) == (1700, 1)
    assert found.too_big == ()


def test_a_router_that_answers_is_heard(fact: PathMtus) -> None:
    """From whom, and which size it asks for; to the byte."""
    found = path(fact, "told")
    assert found.passes == 1400
    assert found.too_big == (TooBig("10.1.0.254", 1401, 1400),)
    refused = {s.size: s.errors for s in found.sizes if s.size > 1400}
    assert refused == {1401: {"packet-too-big": 1}, 1500: {"packet-too-big": 1}}


@pytest.mark.parametrize(("peer", "limits"), [("hole", {1333}), ("switched", {1400, 1404})])
def test_silence_is_found_to_the_byte(fact: PathMtus, peer: str, limits: set[int]) -> None:
    """A router whose errors are filtered, and a switch's port.

    A bridge lets a VLAN tag's four bytes more pass, unless it hands its frames to iptables.
    """
    found = path(fact, peer)
    limit = found.passes or 0
    assert limit in limits
    assert found.too_big == ()
    (above,) = [s for s in found.sizes if s.size == limit + 1]
    assert above.received == 0
    assert above.silent >= 6
    below = [s for s in found.sizes if s.size <= limit]
    assert all(s.received for s in below)
    assert found.fragmented is None


def test_loss_is_no_limit(fact: PathMtus) -> None:
    """Where 60 % of all sizes are lost, small ones are lost too."""
    found = path(fact, "lossy")
    lost_below = sum(s.sent - s.received for s in found.sizes if s.size <= (found.passes or 0))
    assert found.passes in (None, 1500) or lost_below


def test_lost_fragments(fact: PathMtus) -> None:
    """Whole packets pass and those in fragments do not."""
    found = path(fact, "whole")
    assert found.passes == 1500
    assert found.fragmented is not None
    assert (found.fragmented.received, found.fragmented.silent) == (0, 3)


def test_a_silent_peer_has_no_size(fact: PathMtus) -> None:
    """Nothing passes: that says nothing of sizes, and costs six packets."""
    found = path(fact, "silent")
    assert found.passes is None
    assert sum(s.sent for s in found.sizes) <= 6


def test_the_route_of_an_overlay_has_the_last_word(fact: PathMtus) -> None:
    """An overlay's route may be smaller than its device: nothing larger is tried there."""
    assert path(fact, "routed").passes == 1500
    inner = path(fact, "routed", "overlay")
    assert (inner.route_mtu, inner.allowed, inner.passes) == (1300, 1300, 1300)


def test_the_node_learns_nothing(node: Namespace, fact: PathMtus) -> None:
    """The errors that the probes provoked have left no MTU in the node's routes."""
    assert path(fact, "told").too_big
    for address in ("10.21.0.1", "10.2.0.1"):
        shown = subprocess.run(
            [*node.prefix, "ip", "route", "get", address],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "mtu" not in shown


def test_not_even_beside_other_probes(node: Namespace) -> None:
    """Every raw socket hears of these errors, those of the path probes too."""
    both = plan(facts=("path_mtu", "path_probes"), window_seconds=0.6, peers=PEERS[1:2])
    report = run_agent(both, prefix=node.prefix)
    assert path(report.facts["path_mtu"], "told").too_big
    shown = subprocess.run(
        [*node.prefix, "ip", "route", "get", "10.21.0.1"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "mtu" not in shown


def test_without_rights(node: Namespace) -> None:
    """Raw sockets need root."""
    drop = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    report = run_agent(ASKED, prefix=(*node.prefix, *drop))
    assert "needs root" in report.facts["path_mtu"].detail


@pytest.mark.parametrize(("run", "heard"), [("test", 1500), ("another", None)])
def test_the_other_end_hears_what_arrives(node: Namespace, run: str, heard: int | None) -> None:
    """An agent of the same run knows the packets by their token; one of another run does not."""
    end = f"x-{run}"  # the kernel takes the other case's link away in its own time
    with namespace() as other:
        other.sh(
            f"ip link add x0 type veth peer name {end} netns {node.name}\n"
            "ip addr add 10.50.0.2/24 dev x0; ip link set x0 up"
        )
        node.sh(f"ip addr add 10.50.0.1/24 dev {end}; ip link set {end} up")
        here = plan(
            facts=("path_mtu",), window_seconds=1.5, peers=(PeerTarget("o", "10.50.0.2", None),)
        )
        with ThreadPoolExecutor() as pool:
            there = pool.submit(run_agent, replace(here, window_seconds=3.0), prefix=other.prefix)
            time.sleep(1.0)
            run_agent(replace(here, run=run), prefix=node.prefix)
            found = there.result().facts["path_mtu"]
        assert {a.source: a.size for a in found.arrivals}.get("10.50.0.1") == heard
