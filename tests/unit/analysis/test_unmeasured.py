"""The verdict counts checks, and says what nobody measured."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.checks.catalogue import catalogue, select
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.own_service import OwnService
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot
from tests.unit.recorded import change_cluster, change_node, healthy, judged, recorded, without

ALL = len(catalogue())


def text(snapshot: Snapshot) -> str:
    """The verdict."""
    return judged(snapshot).verdict.text


def alone(snapshot: Snapshot, *names: str) -> Snapshot:
    """The snapshot with these nodes only."""
    nodes = tuple(n for n in snapshot.nodes if n.name in names)
    return dataclasses.replace(snapshot, nodes=nodes)


def missing(snapshot: Snapshot, node: str, cls: type, reason: Reason, detail: str) -> Snapshot:
    """One node's fact is missing."""
    return change_node(snapshot, node, cls, lambda _: Missing(reason, detail))


def test_each_check_counts_once_however_many_nodes_there_are() -> None:
    """The same three nodes or one of them: the same number of checks."""
    assert f"nothing found in {ALL - 2} of {ALL} checks; 2 could not run: " in text(healthy())
    assert f" of {ALL} checks" in text(alone(healthy(), "n1"))


def test_reasons_are_short_and_most_frequent_first() -> None:
    """One reason is not counted, of several the first two are; clauses behind it are left out."""
    assert text(healthy()).endswith("2 could not run: new since then")
    less = missing(healthy(), "n1", PathProbes, Reason.FAILED, "the prober broke: because")
    for node in ("n2", "n3"):
        less = missing(less, node, PathProbes, Reason.FAILED, "the prober broke: because")
    said = text(less)
    assert "could not run: the prober broke (" in said
    assert "because" not in said


def test_a_gap_on_one_node_is_told_apart() -> None:
    """Checks that ran elsewhere are counted as run, and said not to have run everywhere."""
    diagnosis = judged(missing(healthy(), "n2", PathProbes, Reason.TIMED_OUT, "it took 5 s"))
    assert "not on every node: it took 5 s" in diagnosis.verdict.text
    assert not diagnosis.verdict.complete


def test_beside_findings_only_gaps_are_named() -> None:
    """What a cluster does not have is no news there; what failed is."""
    assert "could not run" not in text(recorded("packet_loss"))
    broken = recorded("packet_loss")
    for node in ("n1", "n2", "n3"):
        broken = missing(broken, node, PodProbes, Reason.FAILED, "the companion died")
    assert "checks could not run: the companion died" in text(broken)


def test_nodes_without_an_answer_are_counted_once() -> None:
    """Not again with every check that did not run there."""
    report = dataclasses.replace(
        healthy().nodes[2], status=NodeStatus.NOT_REACHED, reason="gone", envelope=None
    )
    said = text(dataclasses.replace(healthy(), nodes=(*healthy().nodes[:2], report)))
    assert "1 of 3 nodes did not answer" in said
    assert "gone" not in said


def test_where_nothing_ran_nothing_was_found_to_be_well() -> None:
    """No node answered: the verdict does not say that nothing was found."""
    dead = tuple(
        dataclasses.replace(n, status=NodeStatus.NOT_REACHED, reason="gone", envelope=None)
        for n in healthy().nodes
    )
    checks = select(("CT-01", "CT-02", "NODE-01"))
    verdict = diagnose(dataclasses.replace(healthy(), nodes=dead), checks).verdict
    assert verdict.text == ("none of 3 checks could run: gone; 3 of 3 nodes did not answer")
    assert not verdict.complete


NODES = "no path between nodes was measured"
PODS = "no path between pods of different nodes was measured"


def own_only(snapshot: Snapshot) -> Snapshot:
    """Every node probed itself and places outside, no other node."""
    for name in ("n1", "n2", "n3"):
        snapshot = change_node(
            snapshot,
            name,
            PathProbes,
            lambda p, n=name: dataclasses.replace(  # type: ignore[misc]
                p, items=tuple(i for i in p.items if i.peer in (None, n))
            ),
        )
    return snapshot


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (healthy(), None),
        (without(healthy(), PathProbes), NODES),
        (own_only(healthy()), NODES),
        (without(healthy(), PodProbes), PODS),
        (without(recorded("packet_loss"), PodProbes), PODS),
        (
            change_cluster(
                without(healthy(), PathProbes, PodProbes),
                Nodes,
                lambda n: dataclasses.replace(n, items=n.items[:1]),
            ),
            None,
        ),
    ],
)
def test_paths_that_nobody_measured_are_named(snapshot: Snapshot, words: str | None) -> None:
    """Whatever else is said; a cluster of one node has no such path."""
    said = text(snapshot)
    assert [w for w in (NODES, PODS) if w in said] == ([words] if words else [])


def test_paths_are_not_missed_by_checks_that_need_none() -> None:
    """--select CT asks for no path."""

    def chosen(snapshot: Snapshot) -> Diagnosis:
        return diagnose(snapshot, select(("CT-01",)))

    assert chosen(without(healthy(), PathProbes)).verdict.text == "nothing found in 1 of 1 checks"


def test_what_the_tool_of_then_did_not_know_is_a_reason() -> None:
    """Old snapshots lack new facts: counted, and no gap."""
    assert KEYS[OwnService] not in healthy().cluster
    assert judged(healthy()).verdict.complete
