"""Somebody lowers the overlay's MTU; the pods that run keep theirs."""

from __future__ import annotations

from tests.e2e.pod_faults import KIOSK, tunnel_mtu_lowered
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "tunnel_mtu_lowered",
        tunnel_mtu_lowered,
        witness.every(
            witness.too_large("n3", witness.tunnel_of("n1"), 1450),
            witness.asks("exec", KIOSK, "--", "ip", "link", "show", "eth0", text="mtu 1450"),
        ),
        (Cause(("MTU-05",), ("n3",), place=KIOSK, fix=r"delete pod netdoctor-kiosk"),),
    )
]
