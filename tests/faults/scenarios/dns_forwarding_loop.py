"""The kubelet hands out systemd-resolved's stub, and CoreDNS loops."""

from __future__ import annotations

from tests.e2e.dns_faults import forwarding_loop
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "dns_forwarding_loop",
        forwarding_loop,
        witness.asks("-n", "kube-system", "get", "pods", text="CrashLoop"),
        (Cause(("DNS-08",), (), place=r"127\.0\.0\.53", fix=r"resolvConf"),),
    )
]
