"""Somebody raised the times of cluster DNS to spare the servers: denials are kept as long."""

from __future__ import annotations

import sys

from tests.e2e.dns_server_faults import denials_kept
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab

_DENIED = """
import sys, dns.message, dns.query
question = dns.message.make_query("nobody.default.svc.cluster.local.", "A")
print(*(r.ttl for r in dns.query.udp(question, sys.argv[1], timeout=2).authority))
"""


def kept(lab: Lab) -> str:
    """How long a resolver may keep the denial of a name, as the answer itself says."""
    server = witness.dns_endpoint(0)(lab)
    seconds = lab.on("n1", sys.executable, "-c", _DENIED, server, check=False).strip()
    return "" if seconds == "300" else f"a denial is kept for {seconds or 'no'} seconds"


SCENARIOS = [
    Scenario(
        "dns_denials_kept",
        denials_kept,
        kept,
        (Cause(("DNS-14",), (), place=r"300", fix=r"denial"),),
    )
]
