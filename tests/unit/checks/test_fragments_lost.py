"""MTU-07."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.path_mtu import PathMtu, SizeProbe
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.path_sizes import measured, over, silent, under
from tests.unit.recorded import change_items, change_node, findings, outcomes

LOST = SizeProbe(1700, 3, 0, {"timeout": 3})
CAME = SizeProbe(1700, 1, 1, {})
N3 = (("n3", "n1"), ("n3", "n2"), ("n1", "n3"), ("n2", "n3"))
ALL = (*N3, ("n1", "n2"), ("n2", "n1"))
Matrix = dict[tuple[str, str], tuple[PathMtu, ...]]


def cut(lost: tuple[tuple[str, str], ...]) -> Matrix:
    """Every path tried with fragments; they are lost on these."""
    return {(a, b): (under(b, fragmented=LOST if (a, b) in lost else CAME),) for a, b in ALL}


@pytest.mark.parametrize(("tunnel", "severity"), [(True, Severity.LOW), (False, Severity.MEDIUM)])
def test_lost_fragments_name_the_node(tunnel: bool, severity: Severity) -> None:
    """n3; low where a fitting tunnel spares the pods."""
    (found,) = findings("MTU-07", measured(cut(N3), tunnel=tunnel))
    assert (set(found.nodes), found.severity) == ({"n3"}, severity)
    assert "1500 bytes with DF pass, 1700 in fragments are lost" in found.evidence[0].text


def test_a_tunnel_that_does_not_fit_needs_fragments() -> None:
    """Its outer packets are cut: medium."""
    wide = {(a, b): (*paths, over(b, mtu=1500)) for (a, b), paths in cut(N3).items()}
    (found,) = findings("MTU-07", measured(wide))
    assert found.severity is Severity.MEDIUM


def test_fragments_that_pass_are_silent() -> None:
    """The rule."""
    assert findings("MTU-07", measured(cut(()))) == []
    assert outcomes("MTU-07", measured(cut(()))) == {"Passed"}


def lossy(snapshot: Snapshot) -> Snapshot:
    """Small probes of all nodes are lost too."""
    for name in ("n1", "n2", "n3"):
        snapshot = change_node(snapshot, name, PathProbes, change_items(PathProbes, _lose))
    return snapshot


def _lose(probe: PathProbe) -> PathProbe:
    return dataclasses.replace(probe, sent=20, received=15) if probe.protocol == "icmp" else probe


def test_general_loss_proves_nothing() -> None:
    """A packet in fragments is lost more easily than a small one."""
    assert outcomes("MTU-07", lossy(measured(cut(N3)))) == {"Skipped"}


def test_not_tried_proves_nothing() -> None:
    """Where whole packets do not pass, fragments are not tried; nor are they with one end only."""
    assert outcomes("MTU-07", measured({(a, b): (under(b, silent(1404)),) for a, b in ALL})) == {
        "Skipped"
    }
    assert outcomes("MTU-07", measured(cut(N3), nodes=("n3",))) == {"Skipped"}


def test_another_nic_cuts_its_answer_otherwise() -> None:
    """A piece of 1500 bytes is lost at a NIC of 1400 for its size."""
    mixed = cut(())
    for other in ("n1", "n2"):
        mixed["n3", other] = (under(other, nic=1400, fragmented=LOST),)
    assert findings("MTU-07", measured(mixed)) == []
