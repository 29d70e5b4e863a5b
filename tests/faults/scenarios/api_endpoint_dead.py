"""default/kubernetes still lists a control plane member that is gone."""

from __future__ import annotations

from tests.e2e.service_faults import api_endpoint_dead
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "api_endpoint_dead",
        api_endpoint_dead,
        witness.shows("n3", "iptables-save", "-t", "nat", text="198.18.0.99"),
        (Cause(("API-08",), (), place=r"198.18.0.99", fix=r"get endpointslices"),),
    )
]
