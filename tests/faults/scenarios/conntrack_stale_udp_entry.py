"""A client keeps its socket while the Service loses its last endpoint."""

from __future__ import annotations

from tests.e2e.conntrack_faults import GONE, STATSD, stale_udp_entry
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "conntrack_stale_udp_entry",
        stale_udp_entry,
        witness.every(
            witness.asks("get", "endpointslices", "-A", text=GONE, there=False),
            witness.shows("n3", "iptables-save", "-t", "nat", text=GONE, there=False),
            witness.shows("n3", "conntrack", "-L", "-p", "udp", text=f"[UNREPLIED] src={GONE}"),
        ),
        (Cause(("CT-04",), ("n3",), place=STATSD, fix=r"conntrack -D"),),
    )
]
