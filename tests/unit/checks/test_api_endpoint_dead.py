"""API-08."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_node, findings, healthy, outcomes

SECOND = "203.0.113.9"
ALL = ("n1", "n2", "n3")


def second_endpoint(
    received: dict[str, int], snapshot: Snapshot | None = None, address: str = SECOND
) -> Snapshot:
    """The lab with another API server endpoint, and how many of 5 connections each node got."""
    out = snapshot or healthy()
    for name, count in received.items():

        def more(fact: PathProbes, count: int = count) -> PathProbes:
            first = next(p for p in fact.items if p.role == "api-server")
            errors = {"timeout": 5 - count} if count < 5 else {}
            probe: PathProbe = dataclasses.replace(
                first, address=address, sent=5, received=count, errors=errors
            )
            return PathProbes(fact.window_seconds, (*fact.items, probe))

        out = change_node(out, name, PathProbes, more)
    return out


def without_first(snapshot: Snapshot) -> Snapshot:
    """The first endpoint does not answer n1 either."""

    def silent(fact: PathProbes) -> PathProbes:
        items = tuple(
            dataclasses.replace(p, received=0, errors={"timeout": p.sent})
            if p.role == "api-server"
            else p
            for p in fact.items
        )
        return PathProbes(fact.window_seconds, items)

    for name in ALL:
        snapshot = change_node(snapshot, name, PathProbes, silent)
    return snapshot


def test_a_dead_column_fires() -> None:
    """Every node gets nothing from it, and all from the other one."""
    (found,) = findings("API-08", second_endpoint(dict.fromkeys(ALL, 0)))
    assert SECOND in found.title
    assert found.confidence is Confidence.CERTAIN
    assert [s.kind for s in found.subjects] == ["Service"]
    assert found.paths == ()


def test_seen_from_one_node_it_is_likely() -> None:
    """The others did not ask."""
    (found,) = findings("API-08", second_endpoint({"n1": 0}))
    assert found.confidence is Confidence.LIKELY


def test_an_endpoint_on_a_node_of_the_cluster_has_paths() -> None:
    """So that a fault of the paths to that node explains it."""
    (found,) = findings("API-08", second_endpoint({"n2": 0, "n3": 0}, address="198.18.0.11"))
    assert found.nodes == {"n1"}
    assert found.paths == (("n2", "n1"), ("n3", "n1"))


@pytest.mark.parametrize("received", [{"n1": 0, "n2": 5, "n3": 5}, {"n1": 1, "n2": 0, "n3": 0}])
def test_a_dead_cell_is_a_path(received: dict[str, int]) -> None:
    """It answers somebody, so it is not dead."""
    assert findings("API-08", second_endpoint(received)) == []


def test_where_nothing_answers_there_is_no_comparison() -> None:
    """The nodes have lost their way to all of them."""
    assert findings("API-08", without_first(second_endpoint(dict.fromkeys(ALL, 0)))) == []


def test_nothing_probed_is_unknown() -> None:
    """Neither healthy nor broken."""
    none = healthy()
    for name in ALL:
        none = change_node(none, name, PathProbes, lambda f: PathProbes(f.window_seconds, ()))
    assert outcomes("API-08", none) == {"Skipped"}
