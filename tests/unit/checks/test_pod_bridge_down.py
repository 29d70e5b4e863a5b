"""RTE-14."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, findings, healthy

ID = "RTE-14"


def down(name: str, *, ports: bool = True) -> Snapshot:
    """A link of n3 is down; without `ports` no pod is on the bridge."""

    def change(link: Interface) -> Interface | None:
        if link.kind == "veth" and not ports:
            return None
        return dataclasses.replace(link, up=False) if link.name == name else link

    return change_node(healthy(), "n3", Interfaces, change_items(Interfaces, change))


def test_the_bridge_of_pods_is_down() -> None:
    """Critical, on that node, with the command."""
    (found,) = findings(ID, down("cni0"))
    assert found.severity is Severity.CRITICAL
    assert found.nodes == {"n3"}
    assert found.fix.commands[0] == "ip link set cni0 up"


@pytest.mark.parametrize("name", ["eth0", "flannel.1", "docker0"])
def test_other_links_are_other_faults(name: str) -> None:
    """Or none at all."""
    assert findings(ID, down(name)) == []


def test_a_bridge_without_pods_harms_nobody() -> None:
    """The plugin sets it up with the first pod."""
    assert findings(ID, down("cni0", ports=False)) == []


def test_a_healthy_lab_is_silent() -> None:
    """All bridges are up."""
    assert findings(ID, healthy()) == []
