"""Captures around real probes: two nodes with a VXLAN between them, in namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubectl_netdoctor.checks.hop_ledger import ledger
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.plan import PeerTarget
from tests.fixtures.plans import plan
from tests.unit.agent.agent_process import run_agent
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

pytestmark = needs_root

END = """
ip addr add 10.60.0.{own}/24 dev up0
ip link set up0 up
ip link add tun0 type vxlan id 7 dstport 5555 dev up0 local 10.60.0.{own} nolearning
ip link set tun0 address 02:00:00:00:00:0{own} up
ip addr add 10.61.{own}.0/32 dev tun0
ip route add 10.61.{other}.0 dev tun0 src 10.61.{own}.0
ip neigh add 10.61.{other}.0 lladdr 02:00:00:00:00:0{other} dev tun0 nud permanent
bridge fdb add 02:00:00:00:00:0{other} dev tun0 dst 10.60.0.{other}
"""
FACTS = ("hops", "path_probes", "path_mtu")
OF = {"n1": "1", "n2": "2"}
DROP = """
table netdev hops {
  chain c {
    type filter hook ingress device up0 priority 0;
    udp dport 5555 drop
  }
}
"""


@pytest.fixture
def nodes() -> Iterator[dict[str, Namespace]]:
    """Two nodes on one wire."""
    with namespace() as one, namespace() as two:
        one.sh(f"ip link add up0 type veth peer name up0 netns {two.name}")
        for name, own in (("1", one), ("2", two)):
            own.sh(END.format(own=name, other="2" if name == "1" else "1"))
        yield {"n1": one, "n2": two}


def listen(nodes: dict[str, Namespace]) -> dict[str, Hops]:
    """Both agents at once."""

    def run(name: str) -> Hops:
        other = "n2" if name == "n1" else "n1"
        peer = PeerTarget(other, f"10.60.0.{OF[other]}", f"10.61.{OF[other]}.0")
        asked = plan(node=name, facts=FACTS, window_seconds=1.5, peers=(peer,))
        found = run_agent(asked, prefix=nodes[name].prefix).facts["hops"]
        assert isinstance(found, Hops), found
        return found

    with ThreadPoolExecutor() as pool:
        return dict(zip(nodes, pool.map(run, nodes), strict=True))


def test_every_step_of_a_healthy_way(nodes: dict[str, Namespace]) -> None:
    """All probes are seen on all interfaces that they pass, in order, and nothing is lost."""
    hops = listen(nodes)
    assert {(t.interface, t.role) for t in hops["n1"].taps} == {("up0", "nic"), ("tun0", "tunnel")}
    book = ledger(hops, ("n1", "n2"), "overlay")
    assert book is not None
    assert [s.name for s in book.steps[:2]] == ["n1 tun0", "n1 up0"]
    assert book.steps[1].around == "VXLAN to 10.60.0.2"
    if book.whole:  # both agents ran at the same time
        assert [s.name for s in book.steps[2:4]] == ["n2 up0", "n2 tun0"]
    assert book.losses() == []
    assert book.sent.bit_count() > 1
    sized = ledger(hops, ("n1", "n2"), "node-size")
    assert sized is not None
    assert sized.steps[0].largest == 1500  # the second one left in fragments


def test_what_is_dropped_after_the_nic(nodes: dict[str, Namespace]) -> None:
    """It came in at the NIC, and not out of the tunnel."""
    nodes["n2"].nft(DROP)
    hops = listen(nodes)
    book = ledger(hops, ("n1", "n2"), "overlay")
    assert book is not None
    assert book.losses()
    if book.whole:
        (loss,) = book.losses()
        assert loss.last is not None
        assert loss.following is not None
        assert (loss.last.name, loss.following.name) == ("n2 up0", "n2 tun0")
        assert (loss.inside, loss.on_wire) == ("n2", False)


def test_a_device_that_is_down_says_so(nodes: dict[str, Namespace]) -> None:
    """And the others are listened on."""
    nodes["n1"].sh("ip link set tun0 down")
    taps = {t.interface: t for t in listen(nodes)["n1"].taps}
    assert taps["up0"].missing is None
    assert isinstance(taps["tun0"].missing, Missing)


def test_without_peers_there_is_nothing_to_listen_for(nodes: dict[str, Namespace]) -> None:
    """A reason, and no empty fact."""
    found = run_agent(plan(facts=FACTS), prefix=nodes["n1"].prefix).facts["hops"]
    assert isinstance(found, Missing)
    assert "no other node" in found.detail
