"""Two nodes hold the same virtual address."""

from __future__ import annotations

from tests.e2e.network_state_faults import virtual_address_twice
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "virtual_address_twice",
        virtual_address_twice,
        witness.shows("n3", "ip", "-br", "addr", text=".200/32"),
        (
            Cause(
                ("RTE-07",),
                ("n3",),
                place=r"between n1 and n3(?s:.)*198\.18\.0\.200",
                fix=r"ip address del 198\.18\.0\.200",
            ),
        ),
    )
]
