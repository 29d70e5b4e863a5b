"""Pods are told to ask a cache on their node, and nobody is there."""

from __future__ import annotations

from tests.e2e.dns_faults import node_local_dns_down
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "node_local_dns_down",
        node_local_dns_down,
        witness.unanswered("n3", witness.fixed("169.254.20.10")),
        (
            Cause(
                ("DNS-11",),
                ("n3",),
                place=r"169\.254\.20\.10",
                fix=r"delete pod -l k8s-app=node-local-dns",
            ),
        ),
    )
]
