"""ENC-04."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, findings, healthy

OTHER = "02:00:00:00:00:99"


def device(change: Callable[[Any], Any]) -> Snapshot:
    """n3 with its VXLAN device changed."""
    return change_node(
        healthy(), "n3", Interfaces,
        change_items(Interfaces, lambda i: change(i) if i.name == "flannel.1" else i),
    )  # fmt: skip


def test_another_mac_fires_with_the_published_one_as_its_fix() -> None:
    """Both addresses are evidence, and dropped frames where the kernel counted them."""
    broken = device(
        lambda i: dataclasses.replace(i, address=OTHER, deltas={"rx_otherhost_dropped": 12})
    )
    (found,) = findings("ENC-04", broken)
    assert found.nodes == {"n3"}
    assert OTHER in found.evidence[0].text
    assert "12 packets" in found.evidence[1].text
    assert found.fix.commands[0].startswith("ip link set flannel.1 address ")
    assert OTHER not in found.fix.commands[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda i: i,
        lambda i: dataclasses.replace(i, address=i.address.upper()),
        lambda i: dataclasses.replace(i, address=OTHER, up=False),
        lambda _: None,
        lambda i: dataclasses.replace(i, deltas={"rx_otherhost_dropped": 12}),
    ],
    ids=["healthy", "upper case", "down is ENC-08", "missing is ENC-08", "drops alone"],
)
def test_it_is_silent(change: Callable[[Any], Any]) -> None:
    """The same address, or another check's fault."""
    assert findings("ENC-04", device(change)) == []
