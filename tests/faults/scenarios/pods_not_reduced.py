"""Pods and their bridge have the NIC's MTU over a tunnel."""

from __future__ import annotations

from tests.e2e.path_mtu_faults import pods_not_reduced
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "pods_not_reduced",
        pods_not_reduced,
        witness.shows("n3", "cat", "/sys/class/net/cni0/mtu", text="1500"),
        (Cause(("MTU-01",), ("n3",), place=r"1500", fix=r"set flannel\.1 mtu 1450"),),
    )
]
