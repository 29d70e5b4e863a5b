"""One of two resolvers of a node is gone."""

from __future__ import annotations

from tests.e2e.dns_faults import upstream_dead
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_upstream_dead",
        upstream_dead,
        witness.unanswered("n3", witness.fixed("198.18.0.54")),
        (Cause(("DNS-06",), ("n3",), place=r"198\.18\.0\.54", fix=r"/etc/resolv\.conf"),),
    )
]
