"""ENC-10."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.transport import TransportPath, TransportProbes, TransportRole
from tests.unit.recorded import findings, healthy, judged, outcomes, without
from tests.unit.transport_samples import Change, Key, echo, measured, silent, udp

ID = "ENC-10"


def lossy(there: int, back: int = 0) -> Change:
    """Of 100 questions so many are lost on each way."""

    def change(path: TransportPath) -> TransportPath:
        return dataclasses.replace(path, udp=udp(100, there, back))

    return change


def into_n3(role: TransportRole, lost: int) -> dict[Key, Change]:
    """What the others send to n3 is lost in part; what n3 sends is not."""
    return {
        ("n1", "n3", role): lossy(lost),
        ("n2", "n3", role): lossy(lost),
        ("n3", "n1", role): lossy(0, lost),
        ("n3", "n2", role): lossy(0, lost),
    }


def test_loss_in_the_tunnel_alone() -> None:
    """UDP says the direction: into n3."""
    (found,) = findings(ID, measured(into_n3("overlay", 30)))
    assert found.nodes == {"n3"}
    assert found.scope.startswith("n1, n2 to n3")
    assert found.confidence is Confidence.CERTAIN
    assert "lost in the tunnel, 0 of 200 on the underlay" in found.evidence[0].text


def test_echoes_alone_tell_it_too() -> None:
    """Where nothing but ICMP was measured, what is lost must be more than chance on the underlay."""
    quiet = without(healthy(), TransportProbes)
    (found,) = findings(ID, echo(quiet, "n3", "overlay", 8))
    assert "8/20 ICMP through the tunnel" in found.evidence[0].text
    assert findings(ID, echo(quiet, "n3", "overlay", 17)) == []


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_some_packets_are_chance(lost: int) -> None:
    """A moment's jam on one pair."""
    assert findings(ID, measured({("n1", "n3", "overlay"): lossy(lost)})) == []


def test_loss_below_is_another_fault() -> None:
    """NIC-03's, which the tunnel only shares."""
    both = measured({**into_n3("overlay", 30), **into_n3("node", 30)})
    assert findings(ID, both) == []
    assert len(findings("NIC-03", both)) == 1


def test_everything_lost_is_another_fault() -> None:
    """ENC-01 and ENC-03 speak of tunnels that are cut."""
    cut = dict.fromkeys(into_n3("overlay", 1), silent)
    assert findings(ID, echo(measured(cut), "n3", "overlay", 0)) == []


def test_it_stands_before_what_it_causes() -> None:
    """The first row of the whole diagnosis."""
    rows = judged(measured(into_n3("overlay", 30))).findings
    assert [r.finding.id for r in rows if r.caused_by is None] == [ID]


def test_a_healthy_lab_is_silent() -> None:
    """And without any tunnel's answer it is not known."""
    assert findings(ID, healthy()) == []
    assert outcomes(ID, healthy()) == {"Passed"}
    mute = without(healthy(), TransportProbes)
    for name in ("n1", "n2", "n3"):
        mute = echo(mute, name, "overlay", 0)
    assert outcomes(ID, mute) == {"Skipped"}
