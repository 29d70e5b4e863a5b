"""The CNI's configuration is gone, as after a clean-up script."""

from __future__ import annotations

from tests.e2e.companion_faults import no_configuration
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "cni_configuration_gone",
        no_configuration,
        witness.shows("n3", "ls", "/etc/cni/net.d", text="10-flannel.conflist.away"),
        (
            Cause(
                ("CNI-08", "CNI-01"),
                ("n3",),
                place=r"NetworkPluginNotReady|cni",
                fix=r"/etc/cni/net\.d",
            ),
        ),
    )
]
