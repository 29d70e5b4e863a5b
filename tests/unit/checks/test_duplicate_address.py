"""RTE-07."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.link import Address, Addresses
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_node, findings, healthy


def holding(address: str, *names: str, interface: str = "eth0") -> Snapshot:
    """The healthy lab with one more address on some nodes."""
    more = Address(interface, 4, address, 32, "global")
    snapshot = healthy()
    for name in names:
        snapshot = change_node(
            snapshot, name, Addresses, lambda a: dataclasses.replace(a, items=(*a.items, more))
        )
    return snapshot


def test_a_virtual_address_on_two_nodes_fires() -> None:
    """Two keepers that do not hear each other."""
    (found,) = findings("RTE-07", holding("198.18.0.200", "n1", "n3"))
    assert found.nodes == {"n1", "n3"}
    assert found.fix.commands == ("ip address del 198.18.0.200 dev eth0",)


def test_another_nodes_internal_ip_fires_on_the_wrong_one() -> None:
    """The rightful owner is not to blame, whether it was scanned or not."""
    taken = holding("198.18.0.11", "n3")
    (found,) = findings("RTE-07", taken)
    assert found.nodes == {"n3"}
    alone = dataclasses.replace(taken, nodes=tuple(n for n in taken.nodes if n.name == "n3"))
    (found,) = findings("RTE-07", alone)
    assert found.nodes == {"n3"}


def test_addresses_that_are_equal_by_design_are_silent() -> None:
    """A virtual address with one keeper, docker0, anycast on lo, link-local caches."""
    assert findings("RTE-07", healthy()) == []
    assert findings("RTE-07", holding("198.18.0.200", "n1")) == []
    assert findings("RTE-07", holding("172.17.0.1", "n1", "n3", interface="docker0")) == []
    assert findings("RTE-07", holding("198.18.0.200", "n1", "n3", interface="lo")) == []
    assert findings("RTE-07", holding("169.254.20.10", "n1", "n3")) == []
