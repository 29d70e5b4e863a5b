"""Nothing is broken."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from tests.faults import witness
from tests.faults.scenario import Scenario
from tests.lab import Lab


def nothing(_lab: Lab) -> AbstractContextManager[None]:
    """No fault."""
    return nullcontext()


SCENARIOS = [Scenario("quiet-healthy", nothing, witness.healthy)]
