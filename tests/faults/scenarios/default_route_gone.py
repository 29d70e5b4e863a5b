"""A network restart lost the default route."""

from __future__ import annotations

from tests.e2e.network_state_faults import default_route_gone
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "default_route_gone",
        default_route_gone,
        witness.shows("n3", "ip", "route", text="default", there=False),
        (
            Cause(
                ("RTE-12",),
                ("n3",),
                place=r"default",
                fix=r"ip route add default via 198\.18\.0\.1",
            ),
        ),
    )
]
