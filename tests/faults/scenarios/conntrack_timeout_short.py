"""A tuning guide shortens the time-out of established connections."""

from __future__ import annotations

from tests.e2e.service_faults import conntrack_timeout_short
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "conntrack_timeout_short",
        conntrack_timeout_short,
        witness.shows(
            "n3", "sysctl", "-n", "net.netfilter.nf_conntrack_tcp_timeout_established", text="120"
        ),
        (Cause(("CT-06",), ("n3",), place=r"120", fix=r"nf_conntrack_tcp_timeout_established"),),
    )
]
