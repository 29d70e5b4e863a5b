"""Applications with troubles and habits of their own: none of them the network's."""

from __future__ import annotations

from tests.faults import witness
from tests.faults.change import NAMESPACE, deployment, in_api, python, service, web
from tests.faults.scenario import Scenario

PODS = ("-n", NAMESPACE, "get", "pods", "--no-headers")
NAMES = python(
    "import socket, time",
    "while True:",
    "    for n in range(20):",
    "        try: socket.getaddrinfo(f'nobody-{n}', 80)",
    "        except OSError: pass",
    "    time.sleep(0.2)",
)
LOAD = python(
    "import socket, time",
    "out = socket.socket(type=socket.SOCK_DGRAM)",
    "while True:",
    "    for _ in range(50): out.sendto(b'x' * 1000, ('front.shop.svc.cluster.local', 80))",
    "    time.sleep(0.05)",
)
BUSY = python("while True: pass")

SCENARIOS = [
    Scenario(
        "quiet-crash-loop",
        in_api(deployment("crash", "python3", "-c", "raise SystemExit(1)")),
        witness.asks(*PODS, text="crash"),
        settle=8,
    ),
    Scenario(
        "quiet-names-that-do-not-exist",
        in_api(deployment("asks", *NAMES)),
        witness.asks(*PODS, text="Running"),
        settle=3,
    ),
    Scenario(
        "quiet-load-between-pods",
        in_api(web("front", replicas=3), service("front"), deployment("load", *LOAD, replicas=3)),
        witness.asks(*PODS, text="Running"),
        settle=5,
    ),
    Scenario(
        "quiet-busy-processor",
        in_api(deployment("busy", *BUSY, replicas=2)),
        witness.asks(*PODS, text="Running"),
        settle=5,
    ),
    Scenario(
        "quiet-host-network",
        in_api(
            deployment(
                "host", "sleep", "600", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet"
            )
        ),
        witness.asks(*PODS, text="Running"),
    ),
]
