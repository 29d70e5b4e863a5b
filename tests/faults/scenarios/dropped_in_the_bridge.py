"""A table of the bridge family takes what pods send to other nodes: iptables does not show it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Scenario
from tests.lab import Lab

NODE = "n2"
PODS = "198.19.0.0/17"


@contextmanager
def inject(lab: Lab) -> Iterator[None]:
    """From the pods of one node."""
    own = lab.kubectl_json("get", "node", NODE)["spec"]["podCIDR"]
    lab.on(NODE, "nft", "add", "table", "bridge", "guard")
    lab.on(NODE, "nft", "add chain bridge guard in { type filter hook input priority 0; }")
    lab.on(NODE, "nft", f"add rule bridge guard in ip daddr {PODS} ip daddr != {own} counter drop")
    try:
        yield
    finally:
        lab.on(NODE, "nft", "delete", "table", "bridge", "guard")


SCENARIOS = [
    Scenario(
        "dropped_in_the_bridge",
        inject,
        witness.shows(NODE, "nft", "list", "table", "bridge", "guard", text="drop"),
        (Cause(("RTE-13", "NF-01"), (NODE,), place=r"cni0", fix=r"nft"),),
    )
]
