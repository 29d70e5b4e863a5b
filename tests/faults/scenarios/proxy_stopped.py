"""kube-proxy is stopped on one node, and nothing has changed since."""

from __future__ import annotations

from tests.e2e.convergence_faults import proxy_stopped
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

HEALTH = ("curl", "-s", "-m", "1", "-w", "%{http_code}", "127.0.0.1:10256/livez")
SCENARIOS = [
    Scenario(
        "proxy_stopped",
        proxy_stopped,
        witness.shows("n3", *HEALTH, text="200", there=False),
        (Cause(("SVC-11",), ("n3",), place=r"stopped", fix=r"delete pod"),),
    )
]
