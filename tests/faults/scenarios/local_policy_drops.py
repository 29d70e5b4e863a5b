"""A client on a node without a backend of a Service with internalTrafficPolicy Local."""

from __future__ import annotations

from tests.e2e.service_faults import local_policy_drops
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "local_policy_drops",
        local_policy_drops,
        witness.shows("n3", "ls", "/run/netdoctor-e2e", text="netdoctor-e2e"),
        (
            Cause(
                ("SVC-05",),
                ("n3",),
                place=r"netdoctor-shop as seen from n3",
                fix=r'"internalTrafficPolicy":"Cluster"',
            ),
        ),
    )
]
