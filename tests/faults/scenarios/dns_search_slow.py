"""Three search domains of the node go to a slow upstream."""

from __future__ import annotations

from tests.e2e.dns_faults import search_slow
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_search_slow",
        search_slow,
        witness.slow("n3", witness.dns_service, 80, name="x.a.corp.test."),
        (
            Cause(
                ("DNS-01",),
                ("n3",),
                place=r"a\.corp\.test|names of the outside",
                fix=r"a\.corp\.test.*out of the search list",
            ),
        ),
    )
]
