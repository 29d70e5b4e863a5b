"""NIC-05: ICMP passes on the underlay, UDP or TCP arrives with wrong checksums."""

from __future__ import annotations

from tests.unit.recorded import findings, judged
from tests.unit.transport_samples import OTHERS, measured, quiet, split, stalled, tcp_only


def test_damage_below_explains_what_is_inside() -> None:
    """NIC-05 is the root; the tunnel's damage is its consequence."""
    below = measured({**split("node"), **split("overlay")}, deltas=OTHERS)
    (found,) = findings("NIC-05", below)
    assert found.nodes == {"n3"}
    assert found.fix.commands[0] == "ethtool -K eth0 tx off"
    assert judged(below).findings[0].finding.id == "NIC-05"


def test_only_full_segments_are_damaged() -> None:
    """Segmentation offload: small packets are right, and uploads stall."""
    (found,) = findings(
        "NIC-05", measured(split("node", stalled), deltas={"n1": {"Tcp.InCsumErrors": 9}})
    )
    assert found.title.startswith("large TCP arrived damaged")
    assert set(found.paths) == {("n3", "n1")}


def test_a_filter_of_our_tcp_port_outside_is_no_fault() -> None:
    """A security group that knows no such port."""
    assert quiet(measured(split("node", tcp_only)))
