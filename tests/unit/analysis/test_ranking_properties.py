"""What holds for every ranking of the recorded faults, whatever the order and whatever is missing."""

from __future__ import annotations

import dataclasses
import random

import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.e2e.faults import FAULTS
from tests.unit.recorded import judged, recorded

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
