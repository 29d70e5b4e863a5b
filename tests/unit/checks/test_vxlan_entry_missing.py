"""ENC-05."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.facts.link import Fdb, Interfaces, Neighbours
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, findings, healthy, recorded


def test_the_recorded_fault_names_the_pair_and_the_command() -> None:
    """One forwarding entry gone: one pair, one command."""
    (found,) = findings("ENC-05", recorded("fdb_entry_deleted"))
    assert found.paths[0][0] == "n3"
    assert found.fix.commands[0].startswith("bridge fdb replace ")
    assert found.fix.commands[0].endswith(" self permanent")


def fdb(change: Any) -> Snapshot:
    """n3 with other forwarding entries."""
    return change_node(healthy(), "n3", Fdb, change_items(Fdb, change))


def test_an_entry_that_points_elsewhere_fires() -> None:
    """The peer moved, the entry did not."""
    moved = fdb(lambda e: dataclasses.replace(e, destination="192.0.2.1") if e.destination else e)
    found = findings("ENC-05", moved)
    assert len(found) == 2
    assert "is sent to 192.0.2.1" in found[0].evidence[0].text


def test_a_missing_neighbour_fires() -> None:
    """Without the VTEP's MAC the packet does not leave either."""
    lost = change_node(
        healthy(), "n3", Neighbours,
        change_items(Neighbours, lambda n: None if n.interface == "flannel.1" else n),
    )  # fmt: skip
    assert ["no neighbour entry" in f.evidence[0].text for f in findings("ENC-05", lost)] == [
        True,
        True,
    ]


def test_metadata_mode_and_learning_devices_are_silent() -> None:
    """Cilium has no entry per peer; a learning device finds its peers by itself."""
    for mode in ("external", "learning"):

        def other(i: Any, mode: str = mode) -> Any:
            return dataclasses.replace(
                i, vxlan=i.vxlan and dataclasses.replace(i.vxlan, **{mode: True})
            )

        bare = change_node(fdb(lambda _: None), "n3", Interfaces, change_items(Interfaces, other))
        assert findings("ENC-05", bare) == []


def test_a_truncated_table_proves_nothing() -> None:
    """What was cut off may hold the entry."""
    cut = change_node(fdb(lambda _: None), "n3", Fdb, lambda f: dataclasses.replace(f, truncated=5))
    assert findings("ENC-05", cut) == []
