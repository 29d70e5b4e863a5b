"""Something is being rolled out while the scan runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.change import NAMESPACE, in_api, service, web
from tests.faults.scenario import Inject, Scenario
from tests.lab import Lab


def restarted(kind: str, name: str) -> Inject:
    """A workload of kube-system, restarted a moment before."""

    @contextmanager
    def change(lab: Lab) -> Iterator[None]:
        words = ("-n", "kube-system", "rollout")
        lab.kubectl(*words, "restart", f"{kind}/{name}")
        try:
            yield
        finally:
            lab.kubectl(*words, "status", f"{kind}/{name}", "--timeout=90s")

    return change


@contextmanager
def scaled(lab: Lab) -> Iterator[None]:
    """An application that is scaled up, down and up again."""
    with in_api(web("front", replicas=1), service("front"))(lab):
        for count in (4, 1, 3):
            lab.kubectl("-n", NAMESPACE, "scale", "deployment/front", f"--replicas={count}")
        yield


SCENARIOS = [
    Scenario("quiet-rollout-coredns", restarted("deployment", "coredns"), witness.healthy),
    Scenario("quiet-rollout-kube-proxy", restarted("daemonset", "kube-proxy"), witness.healthy),
    Scenario(
        "quiet-rollout-application",
        scaled,
        witness.asks("-n", NAMESPACE, "get", "deploy", "front", "-o", "name", text="front"),
    ),
]
