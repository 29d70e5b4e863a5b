"""NIC-03: the finding; its interval is tested beside it."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.checks.packet_loss import SHARE, wilson_low
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    recorded,
)


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
    (found,) = findings("NIC-03", loss(healthy(), "n3", {"n1", "n2"}, 15))
    assert found.nodes == {"n3"}
    assert found.severity is Severity.HIGH
    assert found.evidence[0].text.startswith("25% loss")


def test_one_pair_is_the_pair() -> None:
    """n3 loses to n1 only: both are named."""
    (found,) = findings("NIC-03", loss(healthy(), "n3", {"n1"}, 15))
    assert found.nodes == {"n1", "n3"}


def test_one_lost_packet_is_silent() -> None:
    """Chance is no fault."""
    assert findings("NIC-03", loss(healthy(), "n3", {"n1", "n2"}, 19)) == []


def test_filtered_icmp_is_silent() -> None:
    """A peer that answers ARP and no ICMP filters ICMP."""
    assert findings("NIC-03", loss(healthy(), "n3", {"n1", "n2"}, 0)) == []


@pytest.mark.parametrize("error", ["admin-prohibited", "not-permitted"])
def test_refused_is_not_lost(error: str) -> None:
    """A firewall that says no loses nothing."""
    assert findings("NIC-03", loss(healthy(), "n3", {"n1", "n2"}, 0, arp=False, error=error)) == []


def test_a_rate_limited_refusal_is_not_lost() -> None:
    """A firewall that rejects answers a few probes with an error, and the others not at all."""

    def mixed(p: PathProbe) -> PathProbe:
        if p.peer != "n1" or p.role != "node":
            return p
        errors = {"admin-prohibited": 2, "timeout": 18}
        return dataclasses.replace(p, sent=20, received=0, rtt_ms=(), errors=errors)

    fenced = change_node(healthy(), "n3", PathProbes, change_items(PathProbes, mixed))
    assert findings("NIC-03", fenced) == []


def test_a_peer_that_answers_nobody_is_critical() -> None:
    """Ready in the API, silent to ICMP and ARP from everywhere."""
    dead = loss(loss(healthy(), "n1", {"n2"}, 0, arp=False), "n3", {"n2"}, 0, arp=False)
    found = findings("NIC-03", dead)
    assert [f.severity for f in found] == [Severity.CRITICAL] * len(found)
    assert all("n2" in f.nodes for f in found)


def test_a_peer_that_is_down_is_silent() -> None:
    """The API already says that it is off."""
    off = change_cluster(
        loss(healthy(), "n3", {"n1"}, 0, arp=False), Nodes,
        change_items(Nodes, lambda n: dataclasses.replace(n, conditions=()) if n.name == "n1" else n),
    )  # fmt: skip
    assert findings("NIC-03", off) == []
