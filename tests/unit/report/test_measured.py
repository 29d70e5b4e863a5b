"""Numbers as people read them: times, shares, sparklines."""

from __future__ import annotations

import io
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.report import numbers
from kubectl_netdoctor.report.latency import latency
from kubectl_netdoctor.report.paths import by_trouble, paths
from kubectl_netdoctor.report.resolvers import resolvers
from kubectl_netdoctor.report.table import table
from kubectl_netdoctor.report.terminal import PLAIN, Style
from tests.unit.recorded import healthy, judged, recorded

TIMES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000 ms"), (0.0444, "0.044 ms"), (0.27, "0.27 ms"), (5.21, "5.2 ms"),
     (99.9, "100 ms"), (697.4, "697 ms"), (12_345.0, "12.3 s")],
)  # fmt: skip
def test_milliseconds(value: float, text: str) -> None:
    """As many digits as mean something."""
    assert numbers.ms(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 20, "0"), (20, 20, "100"), (1, 1000, "<1"), (999, 1000, ">99"), (1, 2, "50"), (0, 0, "0")],
)
def test_shares_never_round_to_nothing_or_all(part: int, whole: int, text: str) -> None:
    """One lost packet of a thousand is not 0."""
    assert numbers.percent(part, whole) == text


@given(TIMES)
def test_medians_and_bars_fit_the_values(values: list[float]) -> None:
    """The median lies between, every value is in one bar, and the bars are as many as asked."""
    ordered = numbers.finite(values)
    assert ordered[0] <= numbers.median(ordered) <= ordered[-1]
    assert ordered[0] <= numbers.share(ordered, 0.95) <= ordered[-1]
    assert sum(numbers.histogram(ordered, 12)) == len(values)
    line = numbers.sparkline(values)
    assert len(line) == 12
    assert "█" in line
    assert set(line) <= {" ", *numbers.BARS}


def test_what_is_no_number_is_left_out() -> None:
    """A node may say anything."""
    assert numbers.finite([float("nan"), float("inf"), -1.0, 2.0]) == [2.0]
    assert numbers.sparkline([]).strip() == ""


def test_sparklines_only_where_they_can_be_shown() -> None:
    """A pipe gets the same numbers in ASCII; the plain table has no such section."""
    snapshot = recorded("packet_loss")
    drawn = "\n".join(latency(snapshot, Style(180, colour=False, unicode=True)))
    plain = "\n".join(latency(snapshot, PLAIN))
    assert set(numbers.BARS) & set(drawn)
    assert plain.isascii()
    assert "LATENCY, the slowest 12 of" in plain
    assert "LATENCY" in table(judged(snapshot), PLAIN, wide=True)
    assert "LATENCY" not in table(judged(snapshot), PLAIN)


class Terminal(io.TextIOWrapper):
    """A terminal with an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.mark.parametrize(
    ("stream", "drawn"),
    [
        (Terminal("utf-8"), True),
        (Terminal("UTF-8"), True),
        (Terminal("iso-8859-1"), False),
        (Terminal("ascii"), False),
        (io.StringIO(), False),
    ],
)
def test_a_terminal_that_speaks_utf8_gets_sparklines(stream: TextIO, *, drawn: bool) -> None:
    """`-o wide` asks the stream that it writes to; nobody gets bytes that he cannot show."""
    said = render(judged(recorded("packet_loss")), "wide", 1, stream)
    assert bool(set(numbers.BARS) & set(said)) == drawn
    assert said.isascii() != drawn


def test_the_worst_pairs_come_first() -> None:
    """All loss before some, and every pair is there once."""
    found = paths(recorded("vxlan_port_blocked"))
    ordered = by_trouble(found)
    assert len(ordered) == len(found) == 12
    assert [p.loss for p in ordered[:5]] == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert {p.layer for p in ordered[:4]} == {"overlay"}
    assert ordered[0].largest is None
    assert ordered[-1].largest == 1500


def test_cluster_dns_comes_first() -> None:
    """And every server has the answers of all nodes."""
    found = resolvers(healthy())
    assert found[0].role == "service"
    assert set(found[0].nodes) == {"n1", "n2", "n3"}
    assert found[0].total.sent >= found[0].total.answered > 0
    assert found[0].total.times == sorted(found[0].total.times)
