"""TCP uploads in MTU-03: evidence beside its own, and a finding where echo says nothing."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.path_mtu import PathMtus
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.transport import TransportPath
from tests.unit.recorded import change_node, findings, outcomes
from tests.unit.transport_samples import NODES, measured, split, stalled, udp


def unjudged(snapshot: Snapshot) -> Snapshot:
    """Nobody answers echo requests of any size."""
    for name in NODES:
        snapshot = change_node(snapshot, name, PathMtus, lambda _: PathMtus((), ()))
    return snapshot


def test_a_stall_is_found_where_echo_says_nothing() -> None:
    """With less certainty than measured sizes."""
    (found,) = findings("MTU-03", unjudged(measured(split("node", stalled))))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.LIKELY
    assert "stalled after 0 of 131072 bytes" in found.evidence[0].text


def test_a_stall_inside_the_tunnel() -> None:
    """The underlay is whole."""
    (found,) = findings("MTU-03", unjudged(measured(split("overlay", stalled))))
    assert found.title.endswith("inside the tunnel")


def test_without_a_stall_it_stays_unknown() -> None:
    """As before."""
    assert outcomes("MTU-03", unjudged(measured())) == {"Skipped"}


def test_a_stall_beside_lost_small_packets_is_loss() -> None:
    """Half of all are lost: no question of size."""

    def lossy(path: TransportPath) -> TransportPath:
        return dataclasses.replace(stalled(path), udp=udp(100, there=50))

    assert findings("MTU-03", unjudged(measured(split("node", lossy)))) == []


def test_damage_is_no_question_of_size() -> None:
    """That is NIC-05."""
    harmed = {name: {"Tcp.InCsumErrors": 9} for name in NODES}
    assert findings("MTU-03", unjudged(measured(split("node", stalled), deltas=harmed))) == []


def test_an_upload_that_ended_early_is_no_stall() -> None:
    """The peer's agent had to end."""

    def reset(path: TransportPath) -> TransportPath:
        return dataclasses.replace(path, tcp=dataclasses.replace(path.tcp, ending="reset", acked=1))

    assert findings("MTU-03", unjudged(measured(split("node", reset)))) == []
