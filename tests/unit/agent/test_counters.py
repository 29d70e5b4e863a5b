"""Counters wrap, and are reset; neither becomes a negative or an absurd number."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.agent.counters import all_moved, moved

COUNTER = st.integers(0, (1 << 64) - 1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (5, 5, 0),
        (5, 9, 4),
        ((1 << 32) - 1, 2, 3),
        ((1 << 64) - 10, 5, 15),
        (5000, 10, None),
        (1 << 31, 0, None),
        ((1 << 33) + 7, 7, None),
    ],
)
def test_movement(before: int, after: int, expected: int | None) -> None:
    """A step through 32 or 64 bits is a wrap, any other step back a reset."""
    assert moved(before, after) == expected


@settings(deadline=None)
@given(COUNTER, COUNTER)
def test_movement_is_never_negative(before: int, after: int) -> None:
    """Whatever two readings say."""
    delta = moved(before, after)
    assert delta is None or delta >= 0


@settings(deadline=None)
@given(st.integers(0, (1 << 32) - 1), st.integers(0, 1 << 20))
def test_small_steps_are_exact_for_32_bits(before: int, step: int) -> None:
    """A counter of 32 bits that goes on by a little is measured through its wrap."""
    assert moved(before, (before + step) % (1 << 32)) == step


def test_resets_are_noted() -> None:
    """A reset counter is left out, a new one has no movement, the rest is there."""
    notes: list[str] = []
    deltas = all_moved({"a": 1, "b": 900}, {"a": 4, "b": 2, "c": 7}, "softnet cpu0", notes.append)
    assert deltas == {"a": 3}
    assert notes == ["softnet cpu0: b went from 900 to 2: left out"]
