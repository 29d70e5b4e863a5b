"""New connections to the kubelet are rejected; the one of the API server lives on."""

from __future__ import annotations

from tests.e2e.network_state_faults import kubelet_rejects_new_connections
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "kubelet_rejects_new_connections",
        kubelet_rejects_new_connections,
        witness.closed("n1", witness.node_of("n3"), 10250),
        (Cause(("NF-05",), ("n3",), place=r"10250", fix=r"-D INPUT .*10250"),),
    )
]
