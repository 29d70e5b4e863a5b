"""kube-proxy's DaemonSet no longer selects a node."""

from __future__ import annotations

from tests.e2e.faults import kube_proxy_gone
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "kube_proxy_gone",
        kube_proxy_gone,
        witness.shows("n3", "pgrep", "-fa", "hyperkube", text="kube-proxy", there=False),
        (
            Cause(
                ("SVC-01",),
                ("n3",),
                place=r"Services as seen from n3",
                fix=r"describe daemonset kube-proxy",
            ),
        ),
    )
]
