"""Firewalls that know nothing of this tool take its own probes: no fault of the cluster."""

from __future__ import annotations

from kubectl_netdoctor.facts.transport import HOST_PORT
from tests.e2e.transport_faults import LOOK_ALIKES
from tests.faults import witness
from tests.faults.scenario import Scenario

SCENARIOS = [
    Scenario(
        f"quiet-own-{name.replace('_', '-')}",
        inject,
        witness.unheard(sender, receiver, witness.node_of(receiver), kind="tcp", port=HOST_PORT),
    )
    for (name, inject), (sender, receiver) in zip(
        LOOK_ALIKES.items(), (("n1", "n3"), ("n1", "n3"), ("n3", "n1")), strict=True
    )
]
