"""Services of every kind, all of them as they should be."""

from __future__ import annotations

from typing import Any

from tests.faults import witness
from tests.faults.change import NAMESPACE, in_api, service, web
from tests.faults.scenario import Scenario

READY = ("-n", NAMESPACE, "get", "deploy", "front", "-o", "jsonpath={.status.readyReplicas}")
SOCKET: dict[str, Any] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}


def with_front(name: str, **spec: Any) -> Scenario:
    """Two ready pods behind a Service with that spec."""
    return Scenario(
        f"quiet-service-{name}",
        in_api(web("front", readiness=SOCKET), service("front", **spec)),
        witness.asks(*READY, text="2"),
        settle=2,
    )


MANY = [service(f"many-{n}", selector={"app": "front"}) for n in range(150)]

SCENARIOS = [
    with_front("cluster-ip"),
    with_front("headless", clusterIP="None"),
    with_front("node-port", type="NodePort"),
    with_front("load-balancer", type="LoadBalancer"),
    with_front("affinity", sessionAffinity="ClientIP"),
    with_front("internal-local", internalTrafficPolicy="Local"),
    with_front("publishes-not-ready", publishNotReadyAddresses=True),
    Scenario(
        "quiet-service-external-name",
        in_api(service("out", type="ExternalName", externalName="example.org", selector=None)),
        witness.asks("-n", NAMESPACE, "get", "service", "out", "-o", "name", text="out"),
    ),
    Scenario(
        "quiet-many-services",
        in_api(web("front"), *MANY),
        witness.asks("-n", NAMESPACE, "get", "service", "many-149", "-o", "name", text="many"),
        settle=5,
    ),
]
