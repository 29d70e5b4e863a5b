"""MTU-01."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, findings, healthy


def mtus(**wanted: int) -> Snapshot:
    """n3 with other MTUs, by name (`flannel` for flannel.1) or by kind (`veth`)."""

    def change(i: Any) -> Any:
        mtu = wanted.get(i.name.split(".")[0]) or (
            wanted.get("veth") if i.kind == "veth" and i.master else None
        )
        return dataclasses.replace(i, mtu=mtu) if mtu else i

    return change_node(healthy(), "n3", Interfaces, change_items(Interfaces, change))


@pytest.mark.parametrize(("eth0", "flannel", "fires"), [
    (1500, 1450, False), (1500, 1451, True), (1500, 1500, True), (1450, 1450, True), (1450, 1400, False),
    (9000, 8950, False), (1500, 1400, False),
])  # fmt: skip
def test_the_arithmetic(eth0: int, flannel: int, fires: bool) -> None:
    """50 bytes of VXLAN must fit between the underlay and the tunnel."""
    found = findings("MTU-01", mtus(eth0=eth0, flannel=flannel, veth=min(flannel, eth0 - 50)))
    assert bool(found) is fires
    if found:
        assert (
            f"eth0 {eth0} - 50 VXLAN = {eth0 - 50}; flannel.1 says {flannel}"
            in found[0].evidence[0].text
        )


def test_metadata_mode_is_silent() -> None:
    """Cilium lowers the route's MTU, not the device's."""

    def external(i: Any) -> Any:
        return dataclasses.replace(i, vxlan=i.vxlan and dataclasses.replace(i.vxlan, external=True))

    other = change_node(mtus(flannel=1500), "n3", Interfaces, change_items(Interfaces, external))
    assert findings("MTU-01", other) == []
