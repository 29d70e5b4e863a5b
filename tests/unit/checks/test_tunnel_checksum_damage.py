"""ENC-02: ICMP passes the tunnel, UDP and TCP arrive with wrong checksums."""

from __future__ import annotations

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.transport import TransportProbes
from tests.unit.recorded import findings, healthy, outcomes, without
from tests.unit.transport_samples import HARM, OTHERS, echo, measured, quiet, split

ALL = ("ENC-02", "ENC-03", "NIC-05")


def test_damage_in_the_tunnel_names_sender_counters_and_offload() -> None:
    """What n3 sends arrives damaged at both others: it is n3, and the direction is known."""
    (found,) = findings("ENC-02", measured(split("overlay"), deltas=OTHERS))
    assert found.nodes == {"n3"}
    assert found.paths == (("n3", "n1"), ("n3", "n2"))
    assert found.confidence is Confidence.CERTAIN
    texts = [e.text for e in found.evidence]
    assert "to n1 (198.19.0.0: ICMP 20/20, UDP 0/100, TCP 0/3 connections)" in texts
    assert any("from n3 came in with wrong checksums: TcpInCsumErrors +11" in t for t in texts)
    assert any(t.startswith("flannel.1: tx-checksum-ip-generic on") for t in texts)
    assert found.fix.commands == ("ethtool -K flannel.1 tx-checksum-ip-generic off",)


def test_damage_is_no_swallowing_and_no_loss() -> None:
    """One root cause."""
    harmed = measured(split("overlay"), deltas=OTHERS)
    assert [i for i in (*ALL, "NIC-03", "MTU-03") if findings(i, harmed)] == ["ENC-02"]


def test_counters_alone_are_no_fault() -> None:
    """Damaged packets of somebody else, and everything of ours passes."""
    assert quiet(measured(deltas={"n1": HARM, "n2": HARM, "n3": HARM}))


def test_offload_alone_is_no_fault() -> None:
    """It is on in the recorded lab."""
    assert quiet(measured())
    assert {o for i in ALL for o in outcomes(i, measured())} == {"Passed"}
    assert {o for i in ALL for o in outcomes(i, healthy())} == {"Passed"}


def test_lost_icmp_says_nothing() -> None:
    """Then it is no split: the tunnel is cut (ENC-01), or packets are lost (NIC-03)."""
    lossy = measured(split("overlay"), deltas=OTHERS)
    for name in ("n1", "n2", "n3"):
        lossy = echo(lossy, name, "overlay", 12)
    assert quiet(lossy)
    assert outcomes("ENC-02", lossy) == {"Skipped"}


def test_one_node_alone_proves_nothing() -> None:
    """No agent runs on the others."""
    alone = without(healthy(), TransportProbes)
    assert {o for i in ALL for o in outcomes(i, alone)} == {"Skipped"}
    assert {o for i in ALL for o in outcomes(i, measured(nodes=("n3",)))} == {"Skipped"}
