"""MTU-02."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.path_mtu import PathMtu
from tests.unit.path_sizes import measured, nothing, over, passes, silent, told, under
from tests.unit.recorded import findings, judged, outcomes

N3 = (("n3", "n1"), ("n3", "n2"), ("n1", "n3"), ("n2", "n3"))


def test_an_overlay_that_is_cut_in_two() -> None:
    """The router tells, VXLAN has no DF: large packets arrive in pieces."""
    (found,) = findings("MTU-02", measured({pair: (told(pair[1]),) for pair in N3}))
    assert (set(found.nodes), found.severity) == ({"n3"}, Severity.MEDIUM)
    texts = [e.text for e in found.evidence]
    assert "1401 is refused by 198.18.0.1 (ICMP 3/4, next-hop MTU 1400)" in texts[0]
    assert any(
        "room for 1350: eth0 1500 - 50 VXLAN = 1450; flannel.1 says 1450" in t for t in texts
    )
    assert "the CNI's MTU to 1350" in found.fix.text


def test_an_overlay_whose_pieces_are_lost() -> None:
    """The router tells the node, and the tunnel's large packets still vanish: one cause, high."""
    both = {(a, b): (told(b), over(b, silent(1350, 1450))) for a, b in N3}
    snapshot = measured(both)
    (found,) = findings("MTU-02", snapshot)
    assert found.severity is Severity.HIGH
    assert "lost" in found.title
    assert [r.finding.id for r in judged(snapshot).causes] == ["MTU-02"]


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param((told("n1"), over("n1", mtu=1350)), id="the CNI follows the path"),
        pytest.param((told("n1", 1460), over("n1", mtu=1410)), id="as on GCE"),
        pytest.param((under("n1", silent(1400)),), id="silence is MTU-03"),
        pytest.param((under("n1", passes(1500)),), id="healthy"),
        pytest.param((under("n1", nothing()),), id="unknown"),
    ],
)
def test_look_alikes_are_silent(paths: tuple[PathMtu, ...]) -> None:
    """A router that tells is no fault where nothing needs more."""
    assert findings("MTU-02", measured({("n3", "n1"): paths})) == []


def test_routed_pods_hear_the_router_themselves() -> None:
    """Without a tunnel path MTU discovery reaches the pods."""
    assert findings("MTU-02", measured({("n3", "n1"): (told("n1"),)}, tunnel=False)) == []


def test_nothing_measured_is_no_pass() -> None:
    """Nobody answers."""
    deaf = {
        (a, b): (under(b, nothing()),)
        for a in ("n1", "n2", "n3")
        for b in ("n1", "n2", "n3")
        if a != b
    }
    assert outcomes("MTU-02", measured(deaf)) == {"Skipped"}
