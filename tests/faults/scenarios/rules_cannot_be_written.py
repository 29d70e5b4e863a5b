"""Somebody's own rule holds a chain of kube-proxy: every iptables-restore fails as a whole."""

from __future__ import annotations

from tests.e2e.convergence_faults import rules_cannot_be_written
from tests.e2e.service_faults import HERE
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

RULES = ("iptables-save", "-t", "nat")
SCENARIOS = [
    Scenario(
        "rules_cannot_be_written",
        rules_cannot_be_written,
        witness.every(
            witness.shows("n1", *RULES, text=HERE),  # where it does work
            witness.shows("n3", *RULES, text=f"{HERE}:8080", there=False),
        ),
        (Cause(("SVC-11",), ("n3",), place=r"does not keep up", fix=r"delete pod kube-proxy"),),
    )
]
