"""The interval that keeps chance from becoming a finding."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.packet_loss import SHARE, wilson_low


@pytest.mark.parametrize(
    ("lost", "sent", "significant"),
    [(0, 20, False), (1, 20, False), (2, 20, True), (6, 20, True), (1, 200, False), (5, 200, True),
     (3, 3, True), (0, 0, False)],
)  # fmt: skip
def test_significance(lost: int, sent: int, significant: bool) -> None:
    """One lost packet proves nothing; two of twenty exceed one percent with 95 % confidence."""
    assert (wilson_low(lost, sent) > SHARE) is significant


def test_known_value() -> None:
    """10 of 100 at 95 %: 5.52 %, as published tables have it."""
    assert wilson_low(10, 100) == pytest.approx(0.0552, abs=0.0001)
