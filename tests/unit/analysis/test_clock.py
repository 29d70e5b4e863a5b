"""Clocks, from packets that two nodes saw."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.analysis.clock import clocks
from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.hops import Hops, Sighting
from tests.unit.recorded import FOLDER, change_node, healthy, recorded

NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())


def seen(name: str) -> dict[str, Hops]:
    """The sightings of a recorded run."""
    snapshot = recorded(name)
    facts = {r.name: snapshot.node_fact(r.name, KEYS[Hops]) for r in snapshot.nodes}
    return {n: f for n, f in facts.items() if isinstance(f, Hops)}


def late(hops: Hops, seconds: float) -> Hops:
    """The same sightings by a clock that is so much ahead."""
    moved = (
        dataclasses.replace(s, first=s.first + seconds, last=s.last + seconds)
        for s in hops.sightings
    )
    return dataclasses.replace(hops, sightings=tuple(moved))


@pytest.mark.parametrize("name", NAMES)
def test_clocks_of_recorded_runs_are_in_step(name: str) -> None:
    """Loss, blocked tunnels and a busy machine do not move them."""
    assert set(clocks(seen(name)).values()) <= {"in step"}
    assert set(clocks(seen("healthy"))) == {"n1", "n2", "n3"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(300, "+300 s"), (-41.7, "-42 s"), (4.5, "in step")]
)
def test_the_one_that_is_off_is_named(seconds: float, words: str) -> None:
    """Not the two that agree; seconds are how late a packet may be read."""
    hops = seen("healthy")
    found = clocks({**hops, "n2": late(hops["n2"], seconds)})
    assert found == {"n1": "in step", "n2": words, "n3": "in step"}


def test_it_is_an_outlier_of_the_fleet() -> None:
    """Against the majority that is in step."""
    snapshot = change_node(healthy(), "n3", Hops, lambda h: late(h, 120))
    assert {t.name: t.outliers for t in fleet(snapshot).odd} == {"clock": {"n3": "+120 s"}}


def test_two_nodes_do_not_say_which_is_wrong() -> None:
    """Nor does a node that saw no packet of the others."""
    hops = seen("healthy")
    assert clocks({"n1": hops["n1"], "n2": late(hops["n2"], 300)}) == {}
    blind = dataclasses.replace(hops["n3"], sightings=())
    assert clocks({**hops, "n3": blind}) == {}


def test_a_damaged_file_is_not_compared() -> None:
    """Sequence numbers that are none."""

    def broken(hops: Hops) -> Hops:
        bad: tuple[Sighting, ...] = tuple(
            dataclasses.replace(s, sequences="zz") for s in hops.sightings
        )
        return dataclasses.replace(hops, sightings=bad)

    assert clocks({n: broken(h) for n, h in seen("healthy").items()}) == {}
