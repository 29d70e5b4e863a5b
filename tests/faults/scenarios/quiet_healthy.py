"""Nothing is broken."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from tests.faults import witness
from tests.faults.scenario import Scenario
from tests.lab import Lab


def nothing(_lab: Lab) -> AbstractContextManager[None]:
    """No fault."""
    return nullcontext()


SCENARIOS = [
    Scenario("quiet-healthy", nothing, witness.healthy),
    Scenario("quiet-healthy-one-node", nothing, witness.healthy, scan=("--node", "n2")),
    Scenario(
        "quiet-healthy-long-window",
        nothing,
        witness.healthy,
        scan=("--all-nodes", "--window", "5s"),
    ),
    Scenario(
        "quiet-healthy-no-companion",
        nothing,
        witness.healthy,
        scan=("--all-nodes", "--no-companion"),
    ),
]
