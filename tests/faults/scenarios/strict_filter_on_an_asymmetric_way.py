"""Strict reverse path filtering meets a way back of its own."""

from __future__ import annotations

from tests.e2e.network_state_faults import strict_filter_on_an_asymmetric_way
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "strict_filter_on_an_asymmetric_way",
        strict_filter_on_an_asymmetric_way,
        witness.shows("n3", "sysctl", "-n", "net.ipv4.conf.flannel/1.rp_filter", text="1"),
        (Cause(("RTE-08",), ("n3",), place=r"rp_filter", fix=r"rp_filter"),),
    )
]
