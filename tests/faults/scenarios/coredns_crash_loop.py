"""A Corefile with a mistake in it: no pod of cluster DNS starts with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.dns_faults import COREDNS
from tests.e2e.faults import KUBE_SYSTEM, dns_endpoints, wait_for
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab


@contextmanager
def coredns_crash_loop(lab: Lab) -> Iterator[None]:
    """The pods are made again, as by a roll-out, and end at once."""
    config = (*KUBE_SYSTEM, "get", "configmap", "coredns")
    before = lab.kubectl_json(*config)["data"]["Corefile"]
    _write(lab, before.replace("cache 30", "cach 30"))
    try:
        wait_for(lambda: not dns_endpoints(lab))
        yield
    finally:
        _write(lab, before)
        lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "deployment/coredns", "--timeout=60s")
        wait_for(lambda: len(dns_endpoints(lab)) == 2)


def _write(lab: Lab, text: str) -> None:
    patch = json.dumps({"data": {"Corefile": text}})
    lab.kubectl(*KUBE_SYSTEM, "patch", "configmap", "coredns", "--type=merge", "-p", patch)
    lab.kubectl(*KUBE_SYSTEM, "delete", "pod", *COREDNS)


SCENARIOS = [
    Scenario(
        "coredns_crash_loop",
        coredns_crash_loop,
        witness.every(
            witness.unanswered("n1", witness.dns_service),
            witness.asks(*KUBE_SYSTEM, "get", "pods", *COREDNS, text="CrashLoopBackOff"),
        ),
        (Cause(("DNS-04",), (), place=r"CrashLoopBackOff", fix=r"logs|describe"),),
    )
]
