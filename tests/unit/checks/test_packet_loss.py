"""NIC-03: the finding; its interval is tested beside it."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.checks.packet_loss import SHARE, wilson_low
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.transport import TransportProbes
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    recorded,
    without,
)
from tests.unit.transport_samples import NODES, Change, Key, echo, measured, udp, unheard


@pytest.mark.parametrize(
    ("lost", "sent", "significant"),
    [(0, 20, False), (1, 20, False), (2, 20, True), (6, 20, True), (1, 200, False), (5, 200, True),
     (3, 3, True), (0, 0, False)],
)  # fmt: skip
def test_significance(lost: int, sent: int, significant: bool) -> None:
    """One lost packet proves nothing; two of twenty exceed one percent with 95 % confidence."""
    assert (wilson_low(lost, sent) > SHARE) is significant


def test_known_value() -> None:
    """10 of 100 at 95 %: 5.52 %, as published tables have it."""
    assert wilson_low(10, 100) == pytest.approx(0.0552, abs=0.0001)


def echoes() -> Snapshot:
    """The healthy lab as one sees it without UDP and TCP: then ICMP alone says what is lost."""
    return without(healthy(), TransportProbes, Hops)


def loss(
    snapshot: Snapshot,
    node: str,
    peers: set[str],
    received: int,
    *,
    arp: bool = True,
    error: str = "timeout",
) -> Snapshot:
    """A node's ICMP probes to some peers answered only in part, of 20."""

    def change(p: PathProbe) -> PathProbe:
        if p.peer not in peers or p.role != "node" or (p.protocol == "arp" and arp):
            return p
        got = received if p.protocol == "icmp" else 0
        return dataclasses.replace(
            p, sent=20, received=got, rtt_ms=(1.0,) * got, errors={error: 20 - got}
        )

    return change_node(snapshot, node, PathProbes, change_items(PathProbes, change))


def test_the_recorded_fault_names_the_node_and_the_rule() -> None:
    """A rule that drops at random is found and named."""
    (found,) = findings("NIC-03", recorded("packet_loss"))
    assert found.nodes == {"n3"}
    assert any("numgen random mod 100 < 30 drop" in e.text for e in found.evidence)
    assert found.fix.commands[0].startswith("nft delete rule netdev loss in handle ")


def test_a_row_is_the_sender() -> None:
    """n3 loses to everybody: n3 is the subject."""
    (found,) = findings("NIC-03", loss(echoes(), "n3", {"n1", "n2"}, 15))
    assert found.nodes == {"n3"}
    assert found.severity is Severity.HIGH
    assert found.evidence[0].text.startswith("25% loss")


def test_one_pair_is_the_pair() -> None:
    """n3 loses to n1 only: both are named."""
    (found,) = findings("NIC-03", loss(echoes(), "n3", {"n1"}, 15))
    assert found.nodes == {"n1", "n3"}


def test_one_lost_packet_is_silent() -> None:
    """Chance is no fault."""
    assert findings("NIC-03", loss(echoes(), "n3", {"n1", "n2"}, 19)) == []


def test_filtered_icmp_is_silent() -> None:
    """A peer that answers ARP and no ICMP filters ICMP."""
    assert findings("NIC-03", loss(echoes(), "n3", {"n1", "n2"}, 0)) == []


@pytest.mark.parametrize("error", ["admin-prohibited", "not-permitted"])
def test_refused_is_not_lost(error: str) -> None:
    """A firewall that says no loses nothing."""
    assert findings("NIC-03", loss(echoes(), "n3", {"n1", "n2"}, 0, arp=False, error=error)) == []


def test_a_rate_limited_refusal_is_not_lost() -> None:
    """A firewall that rejects answers a few probes with an error, and the others not at all."""

    def mixed(p: PathProbe) -> PathProbe:
        if p.peer != "n1" or p.role != "node":
            return p
        errors = {"admin-prohibited": 2, "timeout": 18}
        return dataclasses.replace(p, sent=20, received=0, rtt_ms=(), errors=errors)

    fenced = change_node(echoes(), "n3", PathProbes, change_items(PathProbes, mixed))
    assert findings("NIC-03", fenced) == []


def test_a_peer_that_answers_nobody_is_critical() -> None:
    """Ready in the API, silent to ICMP and ARP from everywhere."""
    dead = loss(loss(echoes(), "n1", {"n2"}, 0, arp=False), "n3", {"n2"}, 0, arp=False)
    found = findings("NIC-03", dead)
    assert [f.severity for f in found] == [Severity.CRITICAL] * len(found)
    assert all("n2" in f.nodes for f in found)


def test_a_peer_that_is_down_is_silent() -> None:
    """The API already says that it is off."""
    off = change_cluster(
        loss(echoes(), "n3", {"n1"}, 0, arp=False), Nodes,
        change_items(Nodes, lambda n: dataclasses.replace(n, conditions=()) if n.name == "n1" else n),
    )  # fmt: skip
    assert findings("NIC-03", off) == []


def lossy_ways(*ways: tuple[str, str], lost: int = 5) -> Snapshot:
    """UDP of both ends counted: of 200 packets, questions and answers, twice `lost` went missing."""

    def change(there: int, back: int) -> Change:
        return lambda path: dataclasses.replace(path, udp=udp(100, there, back))

    return measured(
        {
            (a, b, "node"): change(lost * ((a, b) in ways), lost * ((b, a) in ways))
            for a, b in permutations(NODES, 2)
        }
    )


def test_a_direction_is_found_by_counts_of_both_ends() -> None:
    """5 % of what n3 sends; what is sent to it arrives, and no ICMP is needed."""
    (found,) = findings("NIC-03", lossy_ways(("n3", "n1"), ("n3", "n2")))
    assert found.nodes == {"n3"}
    assert found.scope == "n3 to n1, n2"
    assert found.paths == (("n3", "n1"), ("n3", "n2"))
    texts = [e.text for e in found.evidence]
    assert texts[0].startswith("5% loss: 20 of ")
    assert texts[1].startswith("n3 -> n1: 10 of ")
    assert "; n1 -> n3: 0 of " in texts[1]


def test_one_pair_in_one_direction() -> None:
    """The path, not a node."""
    (found,) = findings("NIC-03", lossy_ways(("n1", "n3")))
    assert found.scope == "n1 -> n3"
    assert found.nodes == {"n1", "n3"}


def test_little_loss_is_found_over_all_pairs_of_a_node() -> None:
    """4 of 200 prove nothing on one pair; on all that a node sends they do."""
    assert findings("NIC-03", lossy_ways(("n1", "n3"), lost=2)) == []
    (found,) = findings("NIC-03", lossy_ways(("n1", "n3"), ("n2", "n3"), lost=2))
    assert found.nodes == {"n3"}


@pytest.mark.parametrize("lost", [0, 1])
def test_chance_is_silent(lost: int) -> None:
    """One packet of a hundred on every pair."""
    one = lossy_ways(("n1", "n3"), lost=lost)
    assert findings("NIC-03", one) == []


def test_packets_dropped_at_their_receiver_are_not_lost_on_the_way() -> None:
    """A node too busy to take them, or one that gets damaged ones."""
    changes: dict[Key, Change] = {
        ("n1", "n3", "node"): lambda p: dataclasses.replace(p, udp=udp(100, 20)),
        ("n2", "n3", "node"): lambda p: dataclasses.replace(p, udp=udp(100, 20)),
    }
    assert findings("NIC-03", measured(changes, dropped={"n3": 40})) == []
    assert findings("NIC-03", measured(changes, deltas={"n3": {"Udp.InCsumErrors": 40}})) == []
    assert findings("NIC-03", measured(changes)) != []


def test_icmp_that_is_lost_alone_is_a_limit_of_the_host() -> None:
    """Hosts limit ICMP; two hundred UDP packets arrived in the same second."""
    limited = echo(echo(measured(), "n3", "node", 15), "n1", "node", 15)
    assert findings("NIC-03", limited) == []
    assert findings("NIC-03", echo(echoes(), "n3", "node", 15)) != []
    assert findings("NIC-03", echo(healthy(), "n3", "node", 15)) == []


def test_a_way_that_is_cut_is_told_from_what_came_in() -> None:
    """Nothing comes back to n1, and yet n3 heard it."""
    cut: dict[Key, Change] = dict.fromkeys(permutations_of(("n1", "n3")), unheard)
    snapshot = measured(cut, deaf={"n1": {"n3"}})
    for node, peer in (("n1", "n3"), ("n3", "n1")):
        snapshot = loss(snapshot, node, {peer}, 0, arp=False)
    (found,) = findings("NIC-03", snapshot)
    assert any("100 UDP packets of n1 came in: n3 -> n1 is cut" in e.text for e in found.evidence)


def permutations_of(pair: tuple[str, str]) -> list[Key]:
    """Both directions on the underlay."""
    return [(pair[0], pair[1], "node"), (pair[1], pair[0], "node")]
