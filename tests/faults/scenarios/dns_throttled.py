"""One DNS pod has a CPU limit that is far too small."""

from __future__ import annotations

from tests.e2e.dns_server_faults import first_pod, throttled
from tests.faults.scenario import Cause, Scenario
from tests.faults.scenarios.dns_endpoint_flaky import burst
from tests.lab import Lab


def late(lab: Lab) -> str:
    """A hundred questions at once wait for the next periods."""
    answers, slowest = burst(lab, "n1", first_pod(lab)["status"]["podIP"], 100)
    return "" if answers < 90 or slowest > 100 else f"{answers} of 100 came within {slowest} ms"


SCENARIOS = [
    Scenario(
        "dns_throttled", throttled, late, (Cause(("DNS-03",), (), place=r"throttled", fix=r"cpu"),)
    )
]
