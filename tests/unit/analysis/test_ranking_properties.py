"""What holds for every ranking of the recorded faults, whatever the order and whatever is missing."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterable

import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Errored, Passed
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot, from_json, to_json
from tests.e2e.faults import FAULTS
from tests.unit.recorded import judged, node_fact, recorded
from tests.unit.spare_node import SPARE, with_spare_node

NAMES = ["healthy", *FAULTS]


def without(snapshot: Snapshot, node: str, key: str) -> Snapshot:
    """The snapshot where one node lacks one fact."""
    reports = tuple(
        dataclasses.replace(
            r,
            envelope=r.envelope
            and dataclasses.replace(
                r.envelope, facts={k: v for k, v in r.envelope.facts.items() if k != key}
            ),
        )
        if r.name == node
        else r
        for r in snapshot.nodes
    )
    return dataclasses.replace(snapshot, nodes=reports)


def confidences(diagnosis: Diagnosis) -> dict[tuple[str, str], Confidence]:
    """How sure each finding is, by its ID and title."""
    return {(r.finding.key, r.finding.title): r.finding.confidence for r in diagnosis.findings}


def keys(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Every fact of every node."""
    return [(r.name, k) for r in snapshot.nodes if r.envelope for k in sorted(r.envelope.facts)]


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_facts_does_not_matter(name: str) -> None:
    """Facts arrive in any order, of nodes and of the cluster."""
    snapshot = recorded(name)
    expected = judged(snapshot).findings
    chance = random.Random(name)  # noqa: S311 - any order does
    for _ in range(3):
        shuffled = tuple(
            dataclasses.replace(
                r,
                envelope=r.envelope
                and dataclasses.replace(r.envelope, facts=_shuffled(r.envelope.facts, chance)),
            )
            for r in snapshot.nodes
        )
        other = dataclasses.replace(
            snapshot, nodes=shuffled, cluster=_shuffled(snapshot.cluster, chance)
        )
        assert judged(other).findings == expected


def _shuffled(facts: dict[str, object], chance: random.Random) -> dict[str, object]:
    items = list(facts.items())
    chance.shuffle(items)
    return dict(items)


@pytest.mark.parametrize("name", list(FAULTS))
def test_less_evidence_never_makes_a_finding_surer(name: str) -> None:
    """Each fact of each node taken away in turn."""
    snapshot = recorded(name)
    before = confidences(judged(snapshot))
    surer = []
    for node, key in keys(snapshot):
        after = confidences(judged(without(snapshot, node, key)))
        surer += [
            (node, key, finding)
            for finding, confidence in after.items()
            if finding in before and confidence.rank < before[finding].rank
        ]
    assert surer == []


@pytest.mark.parametrize("name", NAMES)
def test_no_finding_stands_under_one_that_it_explains(name: str) -> None:
    """Folding has no circles: a cause of a row is never explained by that row."""
    rows = judged(recorded(name)).findings
    causes = {r.finding.key: r.caused_by for r in rows}
    for row in rows:
        assert row.caused_by not in row.explains or row.caused_by is None
        assert row.caused_by is None or causes[row.caused_by] is None


WELL = {"fdb_entry_deleted": ("n1", "n2"), "dns_endpoint_dropped": ("n1", "n2")}
"""A node that is well and its healthy peer, where it is not n2 and n1; the faults are on n3."""


def spared(name: str, called: str = SPARE) -> Snapshot:
    """The recorded snapshot with a healthy node more."""
    like, peer = WELL.get(name, ("n2", "n1"))
    broken = () if name == "healthy" else ("n3",)
    return with_spare_node(recorded(name), like, peer, broken, called)


def places(rows: Iterable[Ranked]) -> list[tuple[object, ...]]:
    """All of each row but its words: evidence and scope may count the nodes that are well."""
    return [
        (
            r.finding.key,
            r.finding.title,
            r.severity,
            r.raised_from,
            r.finding.confidence,
            r.finding.paths,
            r.caused_by,
            r.explains,
        )
        for r in rows
    ]


@pytest.mark.parametrize("called", [SPARE, "a0"])
@pytest.mark.parametrize("name", NAMES)
def test_an_unrelated_healthy_node_changes_no_row(name: str, called: str) -> None:
    """Nor its order or its cause, wherever its name stands among the others.

    One more voice may make or break a majority: that would change NODE-11, which is advice. Here it
    only joins one.
    """
    before, after = judged(recorded(name)), judged(spared(name, called))
    assert places(after.findings) == places(before.findings)
    assert not [c for c in after.coverage if isinstance(c.outcome, Errored)]
    odd = [[r.finding.key for r in d.advice if r.finding.id == "NODE-11"] for d in (before, after)]
    assert odd[0] == odd[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_unrelated_node_is_looked_at_like_its_model(name: str) -> None:
    """Else the test above would prove nothing: what passed on the one passes on the other."""
    like, _ = WELL.get(name, ("n2", "n1"))
    snapshot = spared(name)
    passed: dict[str | None, set[str]] = {}
    for cell in judged(snapshot).coverage:
        if isinstance(cell.outcome, Passed):
            passed.setdefault(cell.node, set()).add(cell.check.id)
    lacking = passed[like] - passed[SPARE]
    assert all(i.startswith("DNS") for i in lacking)  # not asked of it where DNS is broken for all
    assert not lacking or name != "healthy"
    assert len(passed[SPARE]) > 25
    peers = {p.peer for p in node_fact(snapshot, SPARE, PathProbes).items}
    assert like in peers
    assert SPARE in {p.peer for p in node_fact(snapshot, like, PathProbes).items}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [(("198.18.0.14", "198.18.0.12"), "RTE-05"), (("198.19.3.", "198.19.1."), "ENC-06")],
)
def test_a_node_more_that_is_not_well_is_a_row(wrong: tuple[str, str], found: str) -> None:
    """The same node with the address, or the pods' subnet, of its model."""
    data = json.loads(json.dumps(to_json(spared("healthy"))).replace(*wrong))
    assert found in {r.finding.id for r in judged(from_json(data)).findings}
