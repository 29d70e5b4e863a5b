"""NetworkPolicies exist, and nothing enforces them."""

from __future__ import annotations

from tests.e2e.network_state_faults import policy_without_enforcer
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "policy_without_enforcer",
        policy_without_enforcer,
        witness.asks("get", "networkpolicy", "-A", text="deny-all"),
        (Cause(("POL-04",), (), place=r"the whole cluster", fix=r"controller that enforces"),),
    )
]
