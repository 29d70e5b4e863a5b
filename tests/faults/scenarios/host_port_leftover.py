"""The port mapping of a pod that is gone stands before that of a living one."""

from __future__ import annotations

from tests.e2e.pod_faults import DEAD, HOST_PORT, KIOSK, host_port_leftover
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "host_port_leftover",
        host_port_leftover,
        witness.every(
            witness.closed("n1", witness.node_of("n3"), HOST_PORT),
            witness.shows("n3", "conntrack", "-L", "-p", "tcp", text=f"[UNREPLIED] src={DEAD}"),
            witness.asks("get", "pod", KIOSK, text="1/1"),
        ),
        (Cause(("SVC-08",), ("n3",), place=DEAD, fix=r"-D CNI-HOSTPORT-DNAT"),),
    )
]
