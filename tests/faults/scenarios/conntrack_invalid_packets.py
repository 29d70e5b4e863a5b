"""Segments far outside the window, and kube-proxy's rule against them is gone."""

from __future__ import annotations

from tests.e2e.conntrack_faults import invalid_packets
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "conntrack_invalid_packets",
        invalid_packets,
        witness.grows("n3", "conntrack", "-S", pattern=r"invalid=(\d+)"),
        (Cause(("CT-03",), ("n3",), place=r"called invalid", fix=r"tcp_be_liberal=1"),),
    )
]
