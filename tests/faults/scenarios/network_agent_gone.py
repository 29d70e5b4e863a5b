"""The CNI's DaemonSet no longer selects a node, as after a wrong label or affinity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.faults import KUBE_SYSTEM
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab

NODE, AGENT = "n3", "daemonset/kube-flannel-ds"


@contextmanager
def network_agent_gone(lab: Lab) -> Iterator[None]:
    """Flannel's pods of the other nodes are made again with it, as by any roll-out."""
    wanted = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [NODE]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}
    _patch(lab, {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}})
    try:
        yield
    finally:
        _patch(lab, None)


def _patch(lab: Lab, affinity: object) -> None:
    patch = json.dumps({"spec": {"template": {"spec": {"affinity": affinity}}}})
    lab.kubectl(*KUBE_SYSTEM, "patch", AGENT, "--type=merge", "-p", patch)
    lab.kubectl(*KUBE_SYSTEM, "rollout", "status", AGENT, "--timeout=90s")


SCENARIOS = [
    Scenario(
        "network_agent_gone",
        network_agent_gone,
        witness.shows(NODE, "pgrep", "-fa", "flanneld", text="flanneld", there=False),
        (Cause(("CNI-07",), (NODE,), place=r"flannel", fix=r"daemonset"),),
    )
]
