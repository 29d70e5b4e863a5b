"""Why a row ranks where it does, said from the very keys of the order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.ranking import LADDER, Place, Ranked, rank, sort_key
from kubectl_netdoctor.analysis.standing import AREAS, PARTED, SURE, parted, standing
from kubectl_netdoctor.checks.base import Confidence, Finding, Severity
from kubectl_netdoctor.checks.catalogue import catalogue
from tests.unit.analysis.test_ranking import finding

CHECKS = catalogue()


def said(rows: tuple[Ranked, ...], index: int) -> str:
    """All sentences about a row."""
    return "\n".join(standing(rows, index, CHECKS))


def test_every_key_of_the_order_and_every_rung_has_its_words() -> None:
    """A new key, confidence or area cannot be forgotten."""
    assert list(PARTED) == list(Place._fields)
    assert set(AREAS) == set(LADDER)
    assert set(SURE) == set(Confidence)


PARTING = [
    (finding("RTE-09", "n1"), finding("NIC-03", "n3"), "severity", "critical is worse than high"),
    (
        finding("RTE-09", "n1"),
        finding("RTE-07", "n3", confidence=Confidence.LIKELY),
        "confidence",
        "equally severe, and certain stands before likely",
    ),
    (
        finding("RTE-09", "n3"),
        finding("DNS-04"),
        "rung",
        "RTE (addresses and routes) is beneath DNS (names)",
    ),
    (
        finding("ENC-08", "n1", "n2"),
        finding("ENC-01", "n3"),
        "subjects",
        "2 subjects stand before 1",
    ),
    (finding("ENC-01", "n3"), finding("ENC-08", "n1"), "id", "in the order of their IDs"),
    (
        finding("ENC-01", "n1", paths=(("n1", "n2"),)),
        finding("ENC-01", "n3", paths=(("n3", "n2"),)),
        "where",
        "in the order of their places",
    ),
]


@pytest.mark.parametrize(("better", "worse", "key", "words"), PARTING)
def test_neighbours_are_parted_by_the_first_key_that_differs(
    better: Finding, worse: Finding, key: str, words: str
) -> None:
    """Said of both, above and below."""
    here, there = sort_key(better), sort_key(worse)
    assert next(n for n in Place._fields if getattr(here, n) != getattr(there, n)) == key
    rows = rank([worse, better], CHECKS)
    assert [r.finding for r in rows] == [better, worse]
    for index, place in ((0, f"above row 2 ({worse.id}): "), (1, f"below row 1 ({better.id}): ")):
        sentence = next(t for t in standing(rows, index, CHECKS) if t.startswith(place))
        assert words in sentence


def test_a_raised_severity_names_what_raised_it() -> None:
    """ENC-05 is high by itself and explains a critical ENC-01."""
    cause = finding("ENC-05", "n3", paths=(("n3", "n1"),))
    symptom = finding("ENC-01", "n1", "n3", paths=(("n1", "n3"), ("n3", "n1")))
    rows = rank([symptom, cause], CHECKS)
    assert rows[0].raised_from is Severity.HIGH
    assert "severity critical, raised from high by row 2 (ENC-01)" in said(rows, 0)
    assert rows[1].raised_from is None
    assert "severity critical, its own" in said(rows, 1)


FOLDED = [
    (finding("DNS-04"), finding("DNS-05", "n1"), "it names no node"),
    (finding("RTE-09", "n3"), finding("DNS-05", "n1", paths=(("n1", "n3"),)), "has an end on n3"),
    (finding("RTE-09", "n3"), finding("API-01", "n3"), "are nodes of its own: n3"),
    (
        finding("ENC-05", "n3", paths=(("n3", "n1"),)),
        finding("ENC-01", "n1", paths=(("n1", "n3"),)),
        "are pairs of its own: n1 to n3",
    ),
]


@pytest.mark.parametrize(("cause", "symptom", "words"), FOLDED)
def test_a_folded_row_says_under_what_and_why(cause: Finding, symptom: Finding, words: str) -> None:
    """Each way in which a cause covers the places of a symptom."""
    rows = rank([cause, symptom], CHECKS)
    text = said(rows, 1)
    assert text.startswith(f"stands under row 1 ({cause.id}): {cause.id} explains {symptom.id}")
    assert words in text
    assert f"it explains row 2 ({symptom.id})" in said(rows, 0)


def test_a_symptom_of_a_symptom_says_by_way_of_what() -> None:
    """API-08 does not explain DNS itself: it explains API-01, and that DNS-18."""
    rows = rank([finding("API-08"), finding("API-01", "n1"), finding("DNS-18", "n1")], CHECKS)
    assert [r.finding.id for r in rows] == ["API-08", "API-01", "DNS-18"]
    assert "stands under row 1 (API-08) by way of row 2 (API-01): API-01 explains" in said(rows, 2)


def test_two_causes_that_explain_a_row_together_are_both_named() -> None:
    """Forwarding off on two nodes cuts more pairs than either alone."""
    first, second = finding("RTE-09", "n1"), finding("NF-01", "n2")
    both = finding("DNS-05", "n3", paths=(("n3", "n1"), ("n3", "n2")))
    rows = rank([first, second, both], CHECKS)
    assert [r.caused_by for r in rows] == [None, None, first.key]
    assert (
        "stands under row 1 (RTE-09): row 1 (RTE-09), row 2 (NF-01) explain DNS-05 together"
        in said(rows, 2)
    )


def test_a_cause_that_is_gone_is_named_by_its_key() -> None:
    """Rows of a report from which the cause was taken: nothing breaks."""
    row = Ranked(finding("DNS-05", "n1"), "RTE-09@Node/n3", ())
    assert "stands under RTE-09@Node/n3, which explains it" in said((row,), 0)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(CHECKS)), st.sampled_from(["n1", "n2", "n3"])), max_size=8
    )
)
def test_every_ranking_is_explained_as_it_was_made(drawn: list[tuple[str, str]]) -> None:
    """Of two neighbours the sentence is that of the first key which differs."""
    rows = rank([finding(i, n) for i, n in dict.fromkeys(drawn)], CHECKS)
    for index, (first, second) in enumerate(pairwise(rows)):
        words = parted(first, second)
        assert f"above row {index + 2} ({second.finding.id}): {words}" in said(rows, index)
        if (first.caused_by is None) == (second.caused_by is None):
            here, there = sort_key(first.finding), sort_key(second.finding)
            assert here < there
            key = next(n for n in Place._fields if getattr(here, n) != getattr(there, n))
            assert words == PARTED[key](first, second)
        else:
            assert words == "causes stand before what they explain"
    for index, row in enumerate(rows):
        assert said(rows, index).startswith("a cause" if row.caused_by is None else "stands under")
