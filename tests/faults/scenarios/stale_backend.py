"""kube-proxy hangs on one node while a Service's only pod is replaced."""

from __future__ import annotations

from tests.e2e.service_faults import stale_backend
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "stale_backend",
        stale_backend,
        witness.shows("n3", "iptables-save", "-t", "nat", text="198.19.1.250"),
        (
            Cause(
                ("SVC-02",), ("n3",), place=r"198\.19\.\d\.250:8080", fix=r"delete pod kube-proxy"
            ),
        ),
    )
]
