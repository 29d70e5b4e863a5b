"""A pod that has just become ready, with a Service that leads to the port on which it listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.pod_faults import KIOSK, OPEN_PORT, pod
from tests.faults import witness
from tests.faults.scenario import Scenario
from tests.lab import Lab

ADDRESS = witness.field("service", KIOSK, "spec.clusterIP")


@contextmanager
def just_made(lab: Lab) -> Iterator[None]:
    """Younger than what any check may judge."""
    with pod(lab):
        lab.kubectl("expose", "pod", KIOSK, "--port=80", f"--target-port={OPEN_PORT}")
        try:
            yield
        finally:
            lab.kubectl("delete", "service", KIOSK)


SCENARIOS = [
    Scenario("quiet-pod-just-made", just_made, witness.works(witness.closed("n1", ADDRESS, 80)))
]
