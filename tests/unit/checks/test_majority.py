"""What counts as a majority."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.checks.majority import usual


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("", None),
        ("a", None),
        ("aa", None),  # two nodes are no majority, whether they agree or not
        ("ab", None),
        ("abc", None),
        ("aab", "a"),
        ("aabb", None),
        ("aaab", "a"),
        ("aaabb", None),  # three of five are less than two thirds
        ("aaaabb", "a"),
    ],
)
def test_two_thirds_of_at_least_three(values: str, expected: str | None) -> None:
    """Never less."""
    assert usual(values) == expected


@given(st.lists(st.sampled_from("abc")), st.randoms(use_true_random=False))
def test_order_does_not_matter(values: list[str], chance: random.Random) -> None:
    """Two different values can never both be usual."""
    other = values[:]
    chance.shuffle(other)
    assert usual(values) == usual(other)
