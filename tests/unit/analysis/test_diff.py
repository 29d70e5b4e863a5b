"""The diff of two snapshots names the fault, and never calls fixed what nobody looked at."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.analysis.diagnosis import diagnose
from kubectl_netdoctor.analysis.diff import Diff, diff, roots
from kubectl_netdoctor.analysis.numbers import far, moved, words
from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.checks.catalogue import catalogue, select
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot
from tests.e2e.faults import FAULTS
from tests.unit.dns_answers import put
from tests.unit.recorded import change_node, healthy, judged, node_fact, recorded


def compared(before: Snapshot, after: Snapshot) -> Diff:
    """Both judged by all checks."""
    return diff(judged(before), judged(after))


def ids(rows: Any) -> list[str]:
    """IDs of findings, causes only."""
    return [cause.finding.id for cause, _ in roots(rows)]


@pytest.mark.parametrize(("name", "expected"), [(n, f[0]) for n, f in FAULTS.items()])
def test_a_repaired_fault_is_the_one_that_is_fixed(name: str, expected: str) -> None:
    """And all that it had explained with it; nothing is new, changed or unknown."""
    found = compared(recorded(name), healthy())
    assert ids(found.fixed) == [expected]
    assert len(found.fixed) == len(judged(recorded(name)).findings)
    assert (found.new, found.changed, found.unmeasured) == ((), (), ())
    assert found.different


@pytest.mark.parametrize(("name", "expected"), [(n, f[0]) for n, f in FAULTS.items()])
def test_a_fault_that_came_is_the_one_that_is_new(name: str, expected: str) -> None:
    """The other way round."""
    found = compared(healthy(), recorded(name))
    assert ids(found.new) == [expected]
    assert (found.fixed, found.changed, found.unmeasured) == ((), (), ())


@pytest.mark.parametrize("name", ["healthy", *FAULTS])
def test_a_snapshot_does_not_differ_from_itself(name: str) -> None:
    """Whatever it holds."""
    found = compared(recorded(name), recorded(name))
    assert not found.different
    assert len(found.unchanged) == len(judged(recorded(name)).findings)


def without(snapshot: Snapshot, node: str) -> Snapshot:
    """The snapshot of a scan that did not choose this node."""
    nodes = tuple(n for n in snapshot.nodes if n.name != node)
    return dataclasses.replace(snapshot, nodes=nodes)


def silent(snapshot: Snapshot, node: str) -> Snapshot:
    """The snapshot of a scan in which this node did not answer."""
    nodes = tuple(
        dataclasses.replace(n, status=NodeStatus.NOT_REACHED, reason="asleep", envelope=None)
        if n.name == node
        else n
        for n in snapshot.nodes
    )
    return dataclasses.replace(snapshot, nodes=nodes)


@pytest.mark.parametrize("name", [n for n in FAULTS if n != "coredns_scaled_to_zero"])
def test_a_node_that_was_not_looked_at_is_not_fixed(name: str) -> None:
    """Neither when it was not chosen, nor when it was silent."""
    for blind, why in ((without, "was not scanned"), (silent, "asleep")):
        found = compared(recorded(name), blind(healthy(), "n3"))
        assert found.fixed == ()
        assert found.different
        assert any(why in u.reason for u in found.unmeasured), found.unmeasured


def test_a_check_that_did_not_run_fixes_nothing() -> None:
    """Left out by --ignore, or without the facts of the node that it is about."""
    before = judged(recorded("packet_loss"))
    less = diff(before, diagnose(healthy(), select((), ("NIC",))))
    assert less.fixed == ()
    assert less.unmeasured[0].reason == "the check was not among those chosen"
    absent = Missing(Reason.TIMED_OUT, "no time left")
    blind = change_node(healthy(), "n3", PathProbes, lambda _: absent)
    found = compared(recorded("packet_loss"), blind)
    assert found.fixed == ()
    assert "no time left" in found.unmeasured[0].reason


def test_a_symptom_that_was_missed_is_not_fixed_while_its_cause_is_there() -> None:
    """Companions that came too late to see dead pods: the tunnel is still cut."""
    before = recorded("vxlan_port_blocked")
    assert "RTE-13" in {r.finding.id for r in judged(before).findings}
    after = before
    for name in ("n1", "n2", "n3"):
        well = node_fact(healthy(), name, PodProbes)
        after = put(after, name, well)
    found = compared(before, after)
    assert [r.finding.id for r in found.fixed] == []
    assert {(u.before.finding.id, u.reason) for u in found.unmeasured} == {
        ("RTE-13", "ENC-01, which explains it, is still there")
    }


def test_coverage_that_was_lost_is_named_and_is_no_difference() -> None:
    """Two scans of a healthy cluster, and in one of them a measurement ran out of time."""
    absent = Missing(Reason.TIMED_OUT, "no time left")
    found = compared(healthy(), change_node(healthy(), "n2", PathProbes, lambda _: absent))
    assert not found.different
    nodes = change_node(healthy(), "n1", PathProbes, lambda _: absent)
    for name in ("n2", "n3"):
        nodes = change_node(nodes, name, PathProbes, lambda _: absent)
    found = compared(healthy(), nodes)
    assert not found.different
    assert "NIC-03" in {lost.check for lost in found.lost}


def test_a_finding_with_other_numbers_is_changed() -> None:
    """Twice the loss is news, a few packets more are not."""

    def with_evidence(text: str) -> Any:
        diagnosis = judged(recorded("packet_loss"))
        first, *rest = diagnosis.findings
        finding = dataclasses.replace(first.finding, evidence=(Evidence(text, "n3"),))
        rows = (dataclasses.replace(first, finding=finding), *rest)
        return dataclasses.replace(diagnosis, findings=rows)

    same = diff(with_evidence("30% loss"), with_evidence("35% loss"))
    assert not same.different
    more = diff(with_evidence("30% loss"), with_evidence("80% loss"))
    assert more.changed[0].changes == ("n3: 30% loss, now: 80% loss",)


def test_a_finding_that_spread_is_changed() -> None:
    """The same fault on one node more."""
    diagnosis = judged(recorded("ip_forward_off"))
    first, *rest = diagnosis.findings
    both = (*first.finding.subjects, dataclasses.replace(first.finding.subjects[0], name="n2"))
    spread = dataclasses.replace(first, finding=dataclasses.replace(first.finding, subjects=both))
    found = diff(diagnosis, dataclasses.replace(diagnosis, findings=(spread, *rest)))
    assert [c.changes for c in found.changed] == [("now also on n2",)]
    back = diff(dataclasses.replace(diagnosis, findings=(spread, *rest)), diagnosis)
    assert [c.changes for c in back.changed] == [("no longer on n2",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24 of 80 probes, 30% loss", "# of # probes, #% loss"),
        ("to n3 (198.18.0.13): 14/20", "to n3 (198.18.0.13): #/#"),
        ("took 12.5 ms on eth0", "took # ms on eth0"),
        ("took 12.5ms, v1.30.1", "took #ms, v1.30.1"),
        ("VNI 1, UDP 8472.", "VNI #, UDP #."),
    ],
)
def test_numbers_stand_alone(text: str, expected: str) -> None:
    """Addresses, names and versions are words."""
    assert words(text) == expected


def test_how_far_is_far() -> None:
    """From and to nothing counts, tiny numbers do not."""
    assert far(0, 1)
    assert far(4, 8)
    assert not far(0.1, 0.9)
    assert not far(10, 19)
    assert not list(moved([Evidence("1 lost")], [Evidence("9 late")]))


def test_every_check_can_be_compared() -> None:
    """Any finding has an ID of the catalogue: none falls out of the diff."""
    for name in FAULTS:
        found = compared(recorded(name), healthy())
        assert {r.finding.id for r in found.fixed} <= catalogue().keys()
    assert KEYS
