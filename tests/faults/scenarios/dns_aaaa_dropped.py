"""A filter by type takes AAAA questions."""

from __future__ import annotations

from tests.e2e.dns_faults import aaaa_dropped
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_aaaa_dropped",
        aaaa_dropped,
        witness.unanswered("n3", witness.dns_endpoint(0), kind="AAAA"),
        (
            Cause(
                ("DNS-15",),
                ("n3",),
                place=r"AAAA",
                fix=r"-D OUTPUT .*--hex-string",
            ),
        ),
    )
]
