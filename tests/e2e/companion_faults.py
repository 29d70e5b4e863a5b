"""Faults that only pods feel, or that keep pods from starting, injected on a real node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.e2e.faults import FAULTS as HOST_FAULTS
from tests.e2e.faults import NODE, Fault, wait_for
from tests.e2e.resident import resident
from tests.lab import Lab

PODS = "198.19.0.0/17"  # of the whole lab
CONFIGURATION = "/etc/cni/net.d/10-flannel.conflist"


@contextmanager
def setting(lab: Lab, node: str, name: str, broken: int) -> Iterator[None]:
    """A kernel parameter that is 1 on a healthy node."""
    lab.on(node, "sysctl", "-qw", f"{name}={broken}")
    try:
        yield
    finally:
        lab.on(node, "sysctl", "-qw", f"{name}=1")


@contextmanager
def bridge_does_not_forward(lab: Lab) -> Iterator[None]:
    """Forwarding is on for the node, and off for the pods' bridge alone; a pod has made the bridge."""
    with resident(lab, NODE), setting(lab, NODE, "net.ipv4.conf.cni0.forwarding", 0):
        yield


@contextmanager
def pods_dropped_at_ingress(lab: Lab) -> Iterator[None]:
    """What pods send to pods of other nodes is dropped, what the node sends is not."""
    own = lab.kubectl_json("get", "node", NODE)["spec"]["podCIDR"]
    hook = "{ type filter hook ingress device cni0 priority 0; }"
    lab.on(NODE, "nft", "add", "table", "netdev", "pods")
    lab.on(NODE, "nft", f"add chain netdev pods in {hook}")
    lab.on(NODE, "nft", f"add rule netdev pods in ip daddr {PODS} ip daddr != {own} drop")
    try:
        yield
    finally:
        lab.on(NODE, "nft", "delete", "table", "netdev", "pods")


@contextmanager
def moved_away(lab: Lab, file: str) -> Iterator[None]:
    """A file of the node is not where it is looked for."""
    lab.on(NODE, "mv", file, f"{file}.away")
    try:
        yield
    finally:
        lab.on(NODE, "mv", f"{file}.away", file)


@contextmanager
def no_configuration(lab: Lab) -> Iterator[None]:
    """The CNI's configuration is gone, as after a clean-up script."""
    with moved_away(lab, CONFIGURATION):
        yield
    wait_for(lambda: not lab.healthy())


def plugin_missing(lab: Lab) -> AbstractContextManager[None]:
    """The CNI plugin's binary is gone, its configuration is not."""
    return moved_away(lab, "/opt/cni/bin/bridge")


FAULTS: dict[str, tuple[str, Fault]] = {
    "bridge_does_not_forward": ("RTE-09", bridge_does_not_forward),
    "no_configuration": ("CNI-08", no_configuration),
    "plugin_missing": ("CNI-08", plugin_missing),
}
"""Each fault with the ID that must be the first row while it lasts."""

SYMPTOMS: dict[str, tuple[str, Fault]] = {
    "pods_dropped_at_ingress": ("NF-01", pods_dropped_at_ingress),
    **{n: HOST_FAULTS[n] for n in ("forward_drop", "vxlan_port_blocked", "fdb_entry_deleted")},
}
"""Causes that the host vantage finds: what pods feel of them is folded under them."""
