"""What pods send to pods of other nodes is dropped, what the node itself sends is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.companion_faults import pods_dropped_at_ingress
from tests.e2e.resident import NAME, resident
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab


@contextmanager
def with_a_pod(lab: Lab) -> Iterator[None]:
    """A pod to see it from."""
    with resident(lab, "n3"), pods_dropped_at_ingress(lab):
        yield


SCENARIOS = [
    Scenario(
        "pods_dropped_at_ingress",
        with_a_pod,
        witness.every(
            witness.pod_closed(NAME, witness.tunnel_of("n1"), 10250),
            witness.works(witness.closed("n3", witness.tunnel_of("n1"), 10250)),
        ),
        (
            Cause(
                ("NF-01",),
                ("n3",),
                place=r"drops forwarded traffic",
                fix=r"nft delete rule netdev pods",
            ),
        ),
    )
]
