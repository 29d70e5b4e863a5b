"""Somebody scaled cluster DNS away."""

from __future__ import annotations

from tests.e2e.faults import coredns_scaled_to_zero
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "coredns_scaled_to_zero",
        coredns_scaled_to_zero,
        witness.unanswered("n1", witness.dns_service),
        (Cause(("DNS-04",), (), place=r"the whole cluster", fix=r"scale"),),
    )
]
