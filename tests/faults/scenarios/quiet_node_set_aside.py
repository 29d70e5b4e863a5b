"""A node is cordoned, or tainted, for somebody's own reasons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Inject, Scenario
from tests.lab import Lab

WATCHED = ("get", "node", "n2", "-o", "yaml")


@contextmanager
def cordoned(lab: Lab) -> Iterator[None]:
    """Before its maintenance."""
    lab.kubectl("cordon", "n2")
    try:
        yield
    finally:
        lab.kubectl("uncordon", "n2")


def tainted(effect: str) -> Inject:
    """For a team of its own."""

    @contextmanager
    def change(lab: Lab) -> Iterator[None]:
        lab.kubectl("taint", "node", "n2", f"team=red:{effect}")
        try:
            yield
        finally:
            lab.kubectl("taint", "node", "n2", "team-")

    return change


SCENARIOS = [
    Scenario("quiet-cordoned", cordoned, witness.asks(*WATCHED, text="unschedulable: true")),
    Scenario(
        "quiet-tainted", tainted("NoSchedule"), witness.asks(*WATCHED, text="effect: NoSchedule")
    ),
]
