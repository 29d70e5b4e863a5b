"""One client has opened thousands of UDP flows."""

from __future__ import annotations

from tests.e2e.conntrack_faults import LIMIT, table_nearly_full
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab


def filled(lab: Lab) -> str:
    """What the kernel counts, against the limit."""
    count = int(lab.on("n3", "conntrack", "-C"))
    return "" if count > 0.8 * LIMIT else f"only {count} entries"


SCENARIOS = [
    Scenario(
        "conntrack_table_nearly_full",
        table_nearly_full,
        filled,
        (Cause(("CT-01",), ("n3",), place=r"20000", fix=r"nf_conntrack_max=40000"),),
    )
]
