"""NF-04."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.system import Components
from tests.unit.recorded import change_items, change_node, findings, healthy, sysctl

NAME = "net.bridge.bridge-nf-call-iptables"


def bridged_node() -> str:
    """A node of the recording that has pods on its bridge."""
    for node in ("n1", "n2", "n3"):
        if findings("NF-04", sysctl(healthy(), node, NAME, "0")):
            return node
    raise AssertionError("no node of the recording has pods on a bridge")


def test_it_fires_where_pods_share_a_bridge() -> None:
    """Switched off, with pods on the bridge."""
    node = bridged_node()
    (found,) = findings("NF-04", sysctl(healthy(), node, NAME, "0"))
    assert found.nodes == {node}
    assert "cni0" in " ".join(e.text for e in found.evidence)


def test_it_fires_where_the_module_is_absent() -> None:
    """An absent parameter with a bridge means that br_netfilter is not loaded."""
    gone = Missing(Reason.NOT_PRESENT, "no such file")
    (found,) = findings("NF-04", sysctl(healthy(), bridged_node(), NAME, gone))
    assert "br_netfilter is not loaded" in found.evidence[0].text


def test_it_is_silent_without_pods_on_the_bridge() -> None:
    """A routed CNI has no such bridge, and needs nothing."""
    node = bridged_node()
    routed = change_node(
        sysctl(healthy(), node, NAME, "0"),
        node,
        Interfaces,
        change_items(Interfaces, lambda i: dataclasses.replace(i, master=None)),
    )
    assert findings("NF-04", routed) == []


def test_it_is_silent_with_cilium() -> None:
    """Services are translated at the socket there."""
    node = bridged_node()
    cilium = change_node(
        sysctl(healthy(), node, NAME, "0"),
        node,
        Components,
        lambda c: dataclasses.replace(c, processes=("cilium-agent",)),
    )
    assert findings("NF-04", cilium) == []
