"""ENC-01."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_items,
    change_node,
    findings,
    healthy,
    outcomes,
    recorded,
    without,
)


def uncaptured() -> Snapshot:
    """The healthy lab without captures: those recorded saw what these tests say is lost."""
    return without(healthy(), Hops)


def silent_tunnel(
    snapshot: Snapshot, node: str, peers: set[str], *, received: int = 0, error: str = "timeout"
) -> Snapshot:
    """A node's probes through the tunnel to some peers unanswered."""

    def change(p: PathProbe) -> PathProbe:
        if p.peer not in peers or p.role != "overlay":
            return p
        return dataclasses.replace(
            p, received=received, rtt_ms=(1.0,) * received, errors={error: p.sent - received}
        )

    return change_node(snapshot, node, PathProbes, change_items(PathProbes, change))


def test_the_recorded_fault_names_port_and_rule() -> None:
    """8472 dropped on n3: the rule is the fix, and it is certain."""
    (found,) = findings("ENC-01", recorded("vxlan_port_blocked"))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.CERTAIN
    assert "UDP 8472" in found.title
    assert found.fix.commands == (
        "iptables-nft -t filter -D INPUT -p udp -m udp --dport 8472 -j DROP",
    )


def test_without_a_rule_it_says_where_to_look() -> None:
    """Nothing on the scanned nodes drops them: likely, and the fix is between the nodes."""
    cut = silent_tunnel(uncaptured(), "n3", {"n1", "n2"})
    found = findings("ENC-01", cut)
    assert found[0].confidence is Confidence.LIKELY
    assert any("lost between the nodes" in e.text for e in found[0].evidence)
    assert "scan " not in found[0].fix.text


def test_a_node_that_was_not_scanned_may_hold_the_rule() -> None:
    """Then it is to be scanned too."""
    cut = silent_tunnel(uncaptured(), "n3", {"n1", "n2"})
    only = dataclasses.replace(cut, nodes=tuple(n for n in cut.nodes if n.name == "n3"))
    (found,) = findings("ENC-01", only)
    assert "no rule on the scanned nodes takes these packets" in [e.text for e in found.evidence]
    assert "scan n1, n2 too" in found.fix.text


def silent_node(received: int) -> Snapshot:
    """All pairs of n3 silent, and its tunnel device with so many packets received."""
    cut = silent_tunnel(uncaptured(), "n3", {"n1", "n2"})
    for node in ("n1", "n2"):
        cut = silent_tunnel(cut, node, {"n3"})
    return change_node(
        cut, "n3", Interfaces,
        change_items(
            Interfaces,
            lambda i: dataclasses.replace(i, deltas={"rx_packets": received} if received else {})
            if i.vxlan else i,
        ),
    )  # fmt: skip


def test_counters_of_the_device_say_which_way() -> None:
    """Peers probe the node: what arrives at its device, or does not, is their packets."""
    (found,) = findings("ENC-01", silent_node(0))
    assert "packets to this node get lost" in found.evidence[-1].text
    (found,) = findings("ENC-01", silent_node(40))
    assert "received 40 packets in the window: its own sent ones" in found.evidence[-1].text


def test_a_rule_says_which_way() -> None:
    """The recorded rule is on INPUT."""
    (found,) = findings("ENC-01", recorded("vxlan_port_blocked"))
    assert any(e.text.startswith("n3 cannot receive: iptables-nft") for e in found.evidence)


def test_some_answers_are_loss_and_not_a_block() -> None:
    """A tunnel that loses a part is not blocked."""
    assert findings("ENC-01", silent_tunnel(uncaptured(), "n3", {"n1", "n2"}, received=1)) == []


def test_packets_that_never_left_are_another_fault() -> None:
    """No route, no tunnel packet: RTE-01 has it."""
    assert findings("ENC-01", silent_tunnel(uncaptured(), "n3", {"n1"}, error="no-route")) == []


def test_a_silent_underlay_says_nothing_about_the_tunnel() -> None:
    """A peer that does not answer below cannot answer above."""

    def dead(p: PathProbe) -> PathProbe:
        return (
            dataclasses.replace(p, received=0, rtt_ms=(), errors={"timeout": p.sent})
            if p.peer
            else p
        )

    down = healthy()
    for node in ("n1", "n2", "n3"):
        down = change_node(down, node, PathProbes, change_items(PathProbes, dead))
    assert findings("ENC-01", down) == []
    assert outcomes("ENC-01", down) == {"Skipped"}


def test_it_does_without_the_firewalls() -> None:
    """Rules that could not be read leave the finding, with less confidence."""
    cut = silent_tunnel(recorded("vxlan_port_blocked"), "n3", set())
    for node in ("n1", "n2", "n3"):
        cut = change_node(cut, node, Iptables, lambda f: dataclasses.replace(f, nft=f.legacy))
    (found,) = findings("ENC-01", without(cut, Hops))
    assert found.confidence is Confidence.LIKELY
    assert not any("cannot receive" in e.text for e in found.evidence)


def test_captures_stand_in_for_the_firewalls() -> None:
    """Rules that could not be read, and both ends of the recorded fault listened: it is n3."""
    cut = recorded("vxlan_port_blocked")
    for node in ("n1", "n2", "n3"):
        cut = change_node(cut, node, Iptables, lambda f: dataclasses.replace(f, nft=f.legacy))
    (found,) = findings("ENC-01", cut)
    assert found.confidence is Confidence.CERTAIN
    assert found.evidence[-1].node == "n3"
    assert found.evidence[-1].text.startswith(
        "they end inside n3, where no rule that could be read"
    )
