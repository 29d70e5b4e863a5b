"""The default route takes less than pods send, as over a VPN; nothing clamps."""

from __future__ import annotations

from tests.e2e.pod_faults import KIOSK, narrow_way_out
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

NOBODY = "192.0.2.1"  # RFC 5737
SCENARIOS = [
    Scenario(
        "narrow_way_out",
        narrow_way_out,
        witness.every(
            witness.shows(  # the kernel itself refuses it: no answer is needed
                "n3", "sh", "-c", f"ping -c 1 -W 1 -M do -s 1420 {NOBODY} 2>&1", text="mtu=1400"
            ),
            witness.asks("exec", KIOSK, "--", "ip", "link", "show", "eth0", text="mtu 1450"),
        ),
        (Cause(("MTU-06",), ("n3",), place=r"1400", fix=r"TCPMSS"),),
    )
]
