"""The host firewall allows DNS over UDP only."""

from __future__ import annotations

from tests.e2e.dns_faults import tcp_blocked
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_tcp_blocked",
        tcp_blocked,
        witness.unanswered("n3", witness.dns_endpoint(0), transport="tcp"),
        (Cause(("DNS-12",), ("n3",), place=r"TCP", fix=r"-D OUTPUT -p tcp .*53"),),
    )
]
