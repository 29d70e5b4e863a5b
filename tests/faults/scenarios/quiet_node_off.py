"""A node has been off for a while, and the API knows it: the others are well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Scenario
from tests.lab import Lab

NODE = "n2"


@contextmanager
def powered_off(lab: Lab) -> Iterator[None]:
    """Its power is cut."""
    lab.stop(NODE)
    try:
        yield
    finally:
        lab.start(NODE)


SCENARIOS = [
    Scenario(
        "quiet-node-off",
        powered_off,
        witness.asks("get", "node", NODE, "--no-headers", text="NotReady"),
        unreached=(NODE,),
    )
]
