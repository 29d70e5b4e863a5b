"""The chain of a Service was flushed on one node, and kube-proxy hangs."""

from __future__ import annotations

from tests.e2e.service_faults import service_rules_missing
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "service_rules_missing",
        service_rules_missing,
        witness.closed("n3", witness.fixed("198.19.128.1"), 443),
        (Cause(("SVC-02",), ("n3",), place=r"kubernetes", fix=r"delete pod kube-proxy"),),
    )
]
