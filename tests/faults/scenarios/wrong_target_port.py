"""A Service leads to a port on which its program does not listen."""

from __future__ import annotations

from tests.e2e.pod_faults import KIOSK, OPEN_PORT, WRONG_PORT, wrong_target_port
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "wrong_target_port",
        wrong_target_port,
        witness.every(
            witness.closed("n1", witness.field("service", KIOSK, "spec.clusterIP"), 80),
            witness.works(
                witness.closed("n1", witness.field("pod", KIOSK, "status.podIP"), OPEN_PORT)
            ),
        ),
        (Cause(("SVC-04",), ("n3",), place=str(WRONG_PORT), fix=r"targetPort"),),
    )
]
