"""Something on the way writes wrong checksums into packets inside VXLAN."""

from __future__ import annotations

from tests.e2e.transport_faults import damaged_in_tunnel
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "damaged_in_tunnel",
        damaged_in_tunnel,
        witness.every(
            witness.works(witness.silent("n1", witness.tunnel_of("n3"))),
            witness.grows(
                "n1",
                *("cat", "/proc/net/snmp"),
                pattern=r"Tcp: -?\d.* (\d+)\n",
                meanwhile=witness.closed("n1", witness.tunnel_of("n3"), 10250),
            ),
            witness.unheard("n3", "n1", witness.tunnel_of("n1")),
        ),
        (
            Cause(
                ("ENC-02",),
                ("n3",),
                place=r"n3 to n1, n2",
                fix=r"ethtool -K flannel\.1 tx-checksum-ip-generic off",
            ),
        ),
    )
]
