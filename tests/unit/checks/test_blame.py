"""Who is at fault when directed pairs fail."""

from __future__ import annotations

from itertools import permutations

import pytest

from kubectl_netdoctor.checks.blame import EVERYBODY, Pair, blame

ALL = set(permutations(("n1", "n2", "n3", "n4"), 2))


@pytest.mark.parametrize(
    ("failing", "tested", "expected"),
    [
        ({p for p in ALL if "n3" in p}, ALL, [("n3", "n3 from and to n1, n2, n4")]),
        ({p for p in ALL if p[0] == "n3"}, ALL, [("n3", "n3 to n1, n2, n4")]),
        ({p for p in ALL if p[1] == "n3"}, ALL, [("n3", "n1, n2, n4 to n3")]),
        ({("n3", "n1")}, ALL, [(None, "n3 -> n1")]),
        (
            {("n3", "n1"), ("n3", "n2"), ("n3", "n4"), ("n1", "n3")},
            ALL,
            [("n3", "n3 from and to n1, n2, n4")],
        ),
        ({("n3", "n1"), ("n1", "n3")}, ALL, [(None, "n1 <-> n3")]),
        (ALL, ALL, [(None, EVERYBODY)]),
        ({("n3", "n1"), ("n3", "n2")}, {("n3", "n1"), ("n3", "n2")}, [("n3", "n3 to n1, n2")]),
        ({("n3", "n1")}, {("n3", "n1"), ("n3", "n2")}, [(None, "n3 -> n1")]),
        (set(), ALL, []),
    ],
)
def test_the_shape_names_the_culprit(
    failing: set[Pair], tested: set[Pair], expected: list[tuple[str | None, str]]
) -> None:
    """A row, a column, a cross, a cell, everything: each shape has its words."""
    assert expected == [(b.node, b.words) for b in blame(failing, tested)]


def test_two_culprits_are_two() -> None:
    """Two bad nodes give two, and every failing pair is accounted for once."""
    failing = {p for p in ALL if "n1" in p or "n3" in p}
    found = list(blame(failing, ALL))
    assert [b.node for b in found] == ["n3", "n1"]
    pairs = [p for b in found for p in b.pairs]
    assert sorted(pairs) == sorted(failing)
