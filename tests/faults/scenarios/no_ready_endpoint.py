"""The only pod of a Service fails its readiness probe."""

from __future__ import annotations

from tests.e2e.service_faults import no_ready_endpoint
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "no_ready_endpoint",
        no_ready_endpoint,
        witness.asks("get", "pods", text="0/1"),
        (Cause(("SVC-03",), (), place=r"netdoctor-shop", fix=r"app=netdoctor-shop"),),
    )
]
