"""The CNI plugin's binary is gone, its configuration is not."""

from __future__ import annotations

from tests.e2e.companion_faults import plugin_missing
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "cni_plugin_missing",
        plugin_missing,
        witness.shows("n3", "ls", "/opt/cni/bin", text="bridge.away"),
        (Cause(("CNI-08",), ("n3",), place=r"failed to find plugin", fix=r"/opt/cni/bin"),),
    )
]
