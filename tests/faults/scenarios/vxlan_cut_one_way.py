"""The fabric drops the tunnel's port from one node to one other, and not back."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.e2e.network_state_faults import on_the_switch
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab
from tests.lab.wiring import port


def vxlan_cut_one_way(lab: Lab) -> AbstractContextManager[None]:
    """From n2 to n1."""
    return on_the_switch(lab, f"iifname {port('n2')} oifname {port('n1')} udp dport 8472")


SCENARIOS = [
    Scenario(
        "vxlan_cut_one_way",
        vxlan_cut_one_way,
        witness.every(
            witness.unheard("n2", "n1", witness.tunnel_of("n1")),
            witness.works(witness.unheard("n1", "n2", witness.tunnel_of("n2"))),
        ),
        (Cause(("ENC-01",), ("n1", "n2"), place=r"n2 (to|->) n1", fix=r"Open UDP 8472"),),
    )
]
