"""One pod of cluster DNS takes 300 ms for every answer."""

from __future__ import annotations

from tests.e2e.dns_faults import endpoint_slow
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_endpoint_slow",
        endpoint_slow,
        witness.slow("n1", witness.first_listed_dns_endpoint, 250),
        (Cause(("DNS-20",), (), place=r"answers slowly: [23]\d\d ms", fix=r"delete pod coredns"),),
    )
]
