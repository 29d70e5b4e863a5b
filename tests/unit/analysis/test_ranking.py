"""One total order; causes first, symptoms folded under them."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.ranking import LADDER, covers, rank
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    Subject,
    node,
)
from kubectl_netdoctor.checks.catalogue import catalogue

CHECKS = catalogue()


def finding(
    check_id: str,
    *nodes: str,
    severity: Severity | None = None,
    confidence: Confidence = Confidence.CERTAIN,
    paths: tuple[tuple[str, str], ...] = (),
) -> Finding:
    """A finding of a real check."""
    return Finding(
        title=f"title of {check_id}",
        evidence=tuple(Evidence("seen", n) for n in nodes),
        fix=Fix("mend it"),
        severity=severity or CHECKS[check_id].severity,
        confidence=confidence,
        subjects=tuple(node(n) for n in nodes) or (Subject("Cluster", "cluster"),),
        paths=paths,
        id=check_id,
    )


def test_a_cause_folds_its_symptom_on_the_same_node() -> None:
    """RTE-09 on n3 explains DNS-05 seen from n3 and not the one seen from n1."""
    cause = finding("RTE-09", "n3")
    mine = finding("DNS-05", "n3", paths=(("n3", "n1"),))
    other = finding("DNS-05", "n1", paths=(("n1", "n2"),))
    rows = rank([mine, other, cause], CHECKS)
    assert [(r.finding.id, r.caused_by) for r in rows] == [
        ("RTE-09", None),
        ("DNS-05", None),
        ("DNS-05", cause.key),
    ]
    assert rows[0].explains == (mine.key,)


def test_a_cause_is_as_severe_as_what_it_explains() -> None:
    """ENC-05 is high, but it explains a critical ENC-01, so it ranks as critical."""
    cause = finding("ENC-05", "n3", paths=(("n3", "n1"),))
    symptom = finding("ENC-01", "n1", "n3", paths=(("n1", "n3"), ("n3", "n1")))
    rows = rank([symptom, cause], CHECKS)
    assert [(r.finding.id, r.severity) for r in rows] == [
        ("ENC-05", Severity.CRITICAL),
        ("ENC-01", Severity.CRITICAL),
    ]


def test_what_a_cause_does_not_explain_stays_its_own_row() -> None:
    """A cut on two pairs is not explained by a missing entry for one of them."""
    cause = finding("ENC-05", "n3", paths=(("n3", "n1"),))
    symptom = finding("ENC-01", "n3", paths=(("n3", "n1"), ("n3", "n2")))
    assert not covers(cause, symptom)
    assert all(r.caused_by is None for r in rank([symptom, cause], CHECKS))


def test_two_causes_explain_together_what_neither_explains_alone() -> None:
    """A cut node and a firewall on another: all pairs of three nodes are dead, and there are two rows."""
    cut = finding("ENC-01", "n1", paths=(("n1", "n2"), ("n1", "n3")))
    firewall = finding("NF-01", "n3")
    every = (("n1", "n2"), ("n1", "n3"), ("n2", "n3"))
    dead = finding("RTE-13", paths=every)
    rows = rank([dead, cut, firewall], CHECKS)
    assert [(r.finding.id, r.caused_by is None) for r in rows] == [
        ("NF-01", True),
        ("ENC-01", True),
        ("RTE-13", False),
    ]
    apart = rank([finding("RTE-13", paths=(*every, ("n2", "n4"))), cut, firewall], CHECKS)
    assert all(r.caused_by is None for r in apart)


def test_a_symptom_stands_under_a_cause_and_not_under_another_symptom() -> None:
    """Dead pods of the whole cluster explain a dead DNS pod too; the cut node is its cause."""
    cut = finding("ENC-01", "n1", paths=(("n1", "n2"),))
    dead = finding("RTE-13", paths=(("n1", "n2"),))
    server = finding("DNS-05", "n2", paths=(("n2", "n1"),))
    rows = {r.finding.id: r.caused_by for r in rank([dead, cut, server], CHECKS)}
    assert rows == {"ENC-01": None, "RTE-13": cut.key, "DNS-05": cut.key}


def test_the_same_fault_on_several_nodes_is_one_row() -> None:
    """Two nodes with forwarding off are one row with both names and both observations."""
    rows = rank([finding("RTE-09", "n3"), finding("RTE-09", "n1")], CHECKS)
    assert len(rows) == 1
    assert [s.name for s in rows[0].finding.subjects] == ["n1", "n3"]
    assert {e.node for e in rows[0].finding.evidence} == {"n1", "n3"}


def test_order_is_severity_confidence_ladder() -> None:
    """Severity first, then confidence, then what stands lower on the ladder."""
    rows = rank(
        [
            finding("DNS-04"),
            finding("RTE-09", "n3"),
            finding("NIC-03", "n2"),
            finding("SVC-01", "n1", confidence=Confidence.LIKELY),
        ],
        CHECKS,
    )
    assert [r.finding.id for r in rows] == ["RTE-09", "DNS-04", "SVC-01", "NIC-03"]


def test_the_order_of_arrival_does_not_matter() -> None:
    """Every permutation of the same findings gives the same rows."""
    found = [
        finding("RTE-09", "n3"),
        finding("DNS-05", "n3", paths=(("n3", "n1"),)),
        finding("DNS-05", "n1", paths=(("n1", "n2"),)),
        finding("ENC-01", "n3"),
        finding("NIC-03", "n2"),
    ]
    expected = rank(found, CHECKS)
    assert all(rank(order, CHECKS) == expected for order in permutations(found))


@given(
    st.lists(st.tuples(st.sampled_from(sorted(CHECKS)), st.sampled_from(["n1", "n2"])), max_size=8)
)
def test_nothing_is_lost_and_nothing_explains_itself(drawn: list[tuple[str, str]]) -> None:
    """Every finding is in exactly one row, and the causes of folded rows are there."""
    found = [finding(i, n) for i, n in dict.fromkeys(drawn)]
    rows = rank(found, CHECKS)
    keys = {r.finding.key for r in rows}
    causes = {r.caused_by for r in rows if r.caused_by}
    assert causes <= keys
    assert not any(r.caused_by == r.finding.key for r in rows)
    seen = [(r.finding.id, s.name) for r in rows for s in r.finding.subjects]
    assert sorted(seen) == sorted((f.id, s.name) for f in found for s in f.subjects)


def test_explanations_form_no_circle() -> None:
    """Following `explains` from any check never comes back to it."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(CHECKS[start].explains)
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo += CHECKS[current].explains if current in CHECKS else ()
        return seen

    assert [i for i in CHECKS if i in reachable(i)] == []


@pytest.mark.parametrize("check_id", sorted(CHECKS))
def test_every_area_is_on_the_ladder(check_id: str) -> None:
    """A new area must be given its rung."""
    assert check_id.split("-", maxsplit=1)[0] in LADDER
