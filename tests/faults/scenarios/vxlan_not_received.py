"""A ruleset by hand lets a node send tunnel packets, and receive none."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.e2e.network_state_faults import nft_table
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab


def vxlan_not_received(lab: Lab) -> AbstractContextManager[None]:
    """In nftables: no iptables command shows the rule."""
    return nft_table(lab, "input", "udp dport 8472 counter drop")


SCENARIOS = [
    Scenario(
        "vxlan_not_received",
        vxlan_not_received,
        witness.every(
            witness.silent("n1", witness.tunnel_of("n3")),
            witness.works(witness.silent("n1", witness.node_of("n3"))),
        ),
        (Cause(("ENC-01",), ("n3",), place=r"filter_by_hand", fix=r"nft|8472"),),
    )
]
