"""One DNS pod is cut off from the API server, and then a Service is made."""

from __future__ import annotations

from tests.e2e.dns_server_faults import NEWS, first_pod, watch_lost
from tests.e2e.faults import dns_endpoints
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab


def unknown(lab: Lab) -> str:
    """One server does not know the Service, the other one does; both answer."""
    blind = first_pod(lab)["status"]["podIP"]
    name = f"{NEWS}.default.svc.cluster.local."
    for server in dns_endpoints(lab):
        answer = witness.question(lab, "n1", server, name)
        if answer is None or (answer[0] > 0) is (server == blind):
            return f"{server} answers {answer}, {blind} should not know {NEWS}"
    return ""


SCENARIOS = [
    Scenario(
        "dns_watch_lost",
        watch_lost,
        unknown,
        (Cause(("DNS-18",), place=r"no longer follows the API", fix=r"delete pod coredns"),),
    )
]
