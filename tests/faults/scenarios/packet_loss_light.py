"""One packet in twenty is lost at random: enough to hurt, and little enough to be overlooked."""

from __future__ import annotations

from tests.faults.scenarios.packet_loss import scenario
from tests.lab.spec import RACK

SCENARIOS = [
    scenario("5-on-the-wire-n1", "n1", 5, "egress", RACK),
    scenario("5-arriving-n2", "n2", 5, "ingress"),
]
