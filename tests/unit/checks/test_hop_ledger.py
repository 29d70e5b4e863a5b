"""The hop ledger: the place of a loss in words, and nothing where the captures prove nothing."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.checks import hop_words
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.hops import Hops, ProbeKind
from tests.unit.checks.hop_samples import ALL, WAY, captures, sightings, with_hops
from tests.unit.recorded import findings, judged, recorded, without

PAIR = ("n1", "n3")
SAYS: dict[tuple[ProbeKind, int], str] = {
    ("node", 1): "last seen leaving n1 eth0, never arrived at n3 eth0",
    ("node", 2): "arrived at n3 eth0, no answer seen leaving n3 eth0",
    ("node", 3): "answered; the answer was last seen leaving n3 eth0, never arrived at n1 eth0",
    ("overlay", 1): "last seen leaving n1 flannel.1, never on eth0",
    ("overlay", 2): "last seen leaving n1 eth0 (VXLAN to 198.18.0.13), never arrived at n3 eth0",
    ("overlay", 3): "last seen arriving at n3 eth0 (VXLAN to 198.18.0.13), never on flannel.1",
    ("overlay", 4): "arrived at n3 flannel.1, no answer seen leaving n3 flannel.1",
    ("overlay", 7): "answered; the answer was last seen arriving at n1 eth0 "
    "(VXLAN to 198.18.0.11), never on flannel.1",
    ("pod", 1): "last seen leaving n1 pod pod0, never on veth1",
    ("pod", 3): "last seen on n1 cni0, never on flannel.1",
    ("pod", 7): "last seen arriving at n3 flannel.1, never on cni0",
    ("pod", 9): "last seen on n3 veth1, never on pod pod0",
}


def said(hops: dict[str, Hops], kind: ProbeKind, *, silent: bool = False) -> list[str]:
    """Sentences about the pair."""
    return [e.text for e in hop_words.told(hop_words.losses(hops, [PAIR], kind, silent=silent))]


@pytest.mark.parametrize(("kind", "reached"), SAYS)
def test_each_hop_has_its_words(kind: ProbeKind, reached: int) -> None:
    """All packets end at the same place."""
    beside: ProbeKind = "pod-overlay" if kind == "pod" else "overlay" if kind == "node" else "node"
    proof = sightings(PAIR, "node", 4, lost=0, kind=beside)  # what says when the peer listened
    hops = captures(sightings(PAIR, kind, reached), proof, pods=kind == "pod")
    (text,) = said(hops, kind)
    assert SAYS[kind, reached] in text
    assert text.startswith("18 of 18 probes n1 to n3")


@pytest.mark.parametrize("kind", ["node", "overlay", "pod"])
def test_a_complete_ledger_says_nothing(kind: ProbeKind) -> None:
    """All came back."""
    hops = captures(sightings(PAIR, kind, 0, lost=0), pods=kind == "pod")
    assert said(hops, kind) == []


def test_a_part_of_them() -> None:
    """Six of twenty are lost on the wire."""
    (text,) = said(captures(sightings(PAIR, "node", 1, lost=0b1010101010100)), "node")
    assert text.startswith("6 of 18 probes")
    assert "never arrived at n3 eth0" in text


def test_a_part_that_never_left() -> None:
    """Echo requests are numbered: what is missing on the first interface was dropped before it."""
    rows = sightings(PAIR, "node", 4, lost=0, only=ALL & ~0b1010101010100)
    (text,) = said(captures(rows), "node")
    assert text == "6 of 18 probes n1 to n3 on the underlay: never seen on n1 eth0"


def test_one_or_two_lost_packets_are_chance() -> None:
    """Nothing is said of them."""
    assert said(captures(sightings(PAIR, "node", 1, lost=0b1010000)), "node") == []


def test_who_began_late_is_not_blamed() -> None:
    """The receiver listened from the eleventh packet on: the first ten prove nothing."""
    late = sightings(PAIR, "node", 0, lost=0)
    late = [
        (n, dataclasses.replace(s, sequences=f"{ALL >> 11 << 11:x}") if n == "n3" else s)
        for n, s in late
    ]
    assert said(captures(late), "node") == []


def test_who_listened_at_another_time_is_not_blamed() -> None:
    """Nothing arrived, and the clocks say that nobody was there to see it."""
    hops = captures(sightings(PAIR, "overlay", 2))
    hops["n3"] = dataclasses.replace(hops["n3"], started=104.0, ended=106.0)
    (text,) = said(hops, "overlay")
    assert "n3 did not listen meanwhile" in text
    assert hop_words.explained(hop_words.losses(hops, [PAIR], "overlay")) is None


def test_a_node_that_was_not_scanned() -> None:
    """Only the sender's side is known, and no more is said."""
    hops = captures(sightings(PAIR, "overlay", 5), nodes=("n1",))
    (text,) = said(hops, "overlay")
    assert "last seen leaving n1 eth0" in text
    assert "no answer came back to n1 eth0" in text


def test_a_capture_that_was_blind_proves_nothing() -> None:
    """An interface that is down, or a listener that lost packets itself."""
    hops = captures(sightings(PAIR, "overlay", 2), sightings(PAIR, "node", 4, lost=0))
    eth0, tunnel = hops["n3"].taps
    down = dataclasses.replace(eth0, missing=Missing(Reason.NOT_PRESENT, "eth0 is down"))
    for tap, why in ((down, "eth0 is down"), (dataclasses.replace(eth0, dropped=5), "5 packets")):
        blind = {**hops, "n3": dataclasses.replace(hops["n3"], taps=(tap, tunnel))}
        (loss,) = hop_words.losses(blind, [PAIR], "overlay")
        assert why in hop_words.sentence(loss)
        assert (loss.whole, loss.on_wire) == (False, False)


def test_nothing_left_at_all() -> None:
    """Said only of probes that are known to have been sent."""
    hops = captures(sightings(PAIR, "node", 4, lost=0))
    assert said(hops, "overlay") == []
    (text,) = said(hops, "overlay", silent=True)
    assert "never seen on n1 flannel.1" in text


def test_answers_that_end_inside_the_sender() -> None:
    """All came back to its last interface, and the prober got none."""
    hops = captures(sightings(PAIR, "overlay", 0, lost=0))
    (text,) = said(hops, "overlay", silent=True)
    assert "came back to n1 flannel.1 and end inside n1" in text


def test_large_packets_are_named_by_their_size() -> None:
    """Of the sized probes, the large ones end on the wire."""
    rows = sightings(PAIR, "node", 1, lost=0b1111111100, kind="node-size")
    rows = [
        (n, dataclasses.replace(s, largest=1500 if s.way == "out" and n == "n1" else 1404))
        for n, s in rows
    ]
    rows += sightings(PAIR, "node", 4, lost=0, kind="overlay-size", interface="flannel.1")
    (text,) = said(captures(rows), "node-size")
    assert "never arrived at n3 eth0 (up to 1500 bytes; the largest that did has 1404)" in text


def test_another_mac_is_named() -> None:
    """What arrives for somebody else is not taken."""
    rows = sightings(PAIR, "overlay", 4)
    rows = [
        (n, dataclasses.replace(s, foreign=20))
        if (n, s.interface) == ("n3", "flannel.1")
        else (n, s)
        for n, s in rows
    ]
    (text,) = said(captures(rows), "overlay")
    assert "addressed to another MAC than its own" in text


def test_without_captures_nothing_is_said() -> None:
    """As in every snapshot from before."""
    assert hop_words.losses(None, [PAIR], "node", silent=True) == []
    assert hop_words.losses({}, [PAIR], "node", silent=True) == []


@given(
    st.dictionaries(st.integers(0, 7), st.integers(0, ALL), max_size=8),
    st.sampled_from(["n1", "n3"]),
)
def test_any_captures(seen: dict[int, int], without: str) -> None:
    """Whatever was seen where: no exception, and never more lost than sent."""
    rows = sightings(PAIR, "overlay", 8, lost=0)
    rows = [
        (n, dataclasses.replace(s, sequences=f"{seen[i]:x}"))
        for i, (n, s) in enumerate(rows)
        if i in seen
    ]
    hops = captures(rows)
    for known in (hops, {n: f for n, f in hops.items() if n != without}):
        found = hop_words.losses(known, [PAIR, PAIR[::-1]], "overlay", silent=True)
        assert all(loss.count <= loss.sent for loss in found)
        hop_words.told(found)
        hop_words.explained(found)
        hop_words.one_way(found)


BLOCKED = ("n1", "n2")


def _blocked(reached: int) -> dict[str, Hops]:
    """Of the recorded lab whose n3 drops the tunnel's packets: n1 and n2 to n3, and back."""
    groups = [sightings(pair, "node", 4, lost=0) for pair in _pairs()]
    groups += [sightings(pair, "overlay", reached) for pair in _pairs() if pair[1] == "n3"]
    groups += [sightings(pair, "overlay", reached + 4) for pair in _pairs() if pair[0] == "n3"]
    return captures(*groups, nodes=("n1", "n2", "n3"))


def _pairs() -> list[tuple[str, str]]:
    return [(a, b) for n in BLOCKED for a, b in ((n, "n3"), ("n3", n))]


def test_a_finding_says_where() -> None:
    """The sentence beside the rule that takes the packets, and the one direction."""
    snapshot = with_hops(recorded("vxlan_port_blocked"), _blocked(3))
    (finding,) = findings("ENC-01", snapshot)
    texts = [e.text for e in finding.evidence]
    assert any("arriving at n3 eth0 (VXLAN to 198.18.0.13), never on flannel.1" in t for t in texts)
    assert "lost on the way n1, n2 to n3" in finding.scope
    assert any("cannot receive" in t for t in texts)


def test_a_direction_is_said_of_all_that_lose_or_of_none() -> None:
    """n2 loses on the way to n3 too, but n3 did not listen then: nobody knows which way."""
    hops = captures(sightings(PAIR, "node", 1), sightings(PAIR, "overlay", 4, lost=0))
    (loss,) = hop_words.losses(hops, [PAIR], "node")
    assert hop_words.one_way([loss]) == " (lost on the way n1 to n3)"
    other = dataclasses.replace(loss, pair=("n2", "n3"))
    assert hop_words.one_way([loss, other]) == " (lost on the way n1, n2 to n3)"
    unknown = dataclasses.replace(other, whole=False)
    assert hop_words.one_way([loss, unknown]) == ""
    again = dataclasses.replace(loss, whole=False)  # a second place of the pair that is known
    assert hop_words.one_way([loss, again]) == " (lost on the way n1 to n3)"


def test_a_finding_without_captures_is_as_before() -> None:
    """As in every snapshot from before."""
    (finding,) = findings("ENC-01", without(recorded("vxlan_port_blocked"), Hops))
    assert not any("last seen" in e.text for e in finding.evidence)


def test_other_faults_get_the_sentence_too() -> None:
    """A missing forwarding entry: its packets never become tunnel packets."""
    groups = [sightings(pair, "node", 4, lost=0) for pair in _pairs()]
    groups += [sightings(pair, "overlay", 1) for pair in _pairs() if pair[0] == "n3"]
    hops = captures(*groups, nodes=("n1", "n2", "n3"))
    (row, *_) = judged(with_hops(recorded("fdb_entry_deleted"), hops)).findings
    assert row.finding.id == "ENC-05"
    assert any(
        "last seen leaving n3 flannel.1, never on eth0" in e.text for e in row.finding.evidence
    )


def test_a_healthy_cluster_stays_silent() -> None:
    """A complete ledger, and one with chance losses, make no finding."""
    pairs = [(a, b) for a in WAY_NODES for b in WAY_NODES if a != b]
    groups = [sightings(pair, kind, 0, lost=0) for pair in pairs for kind in ("node", "overlay")]
    hops = captures(*groups, nodes=WAY_NODES)
    assert judged(with_hops(recorded("healthy"), hops)).findings == ()


WAY_NODES = ("n1", "n2", "n3")
assert set(WAY) == {"node", "overlay", "pod"}
