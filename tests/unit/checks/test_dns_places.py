"""Who is at fault when some nodes find some DNS servers bad."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.dns_places import places

ASKED = {(n, s) for n in ("n1", "n2", "n3") for s in ("e1", "e2", "up")}
ENDS = ("e1", "e2")


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ({("n3", "e1"), ("n3", "e2"), ("n3", "up")}, [("node", ("n3",))]),
        ({(n, "e1") for n in ("n1", "n2", "n3")}, [("server", ("n1", "n2", "n3"))]),
        (
            {(n, s) for n in ("n1", "n2", "n3") for s in ENDS},
            [("group", ("n1", "n2", "n3"))],
        ),
        (ASKED, [("everywhere", ("n1", "n2", "n3"))]),
        ({("n1", "e2"), ("n2", "e2")}, [("path", ("n1", "n2"))]),
        (set(), []),
    ],
)
def test_shapes(bad: set[tuple[str, str]], expected: list[tuple[str, tuple[str, ...]]]) -> None:
    """A row, a column, the endpoints, all of it, and what is left."""
    assert [(p.kind, p.nodes) for p in places(bad, ASKED, ENDS)] == expected


def test_one_node_alone() -> None:
    """From one node, all servers are the node; one server is only a path."""
    asked = {("n3", s) for s in ("e1", "e2", "up")}
    assert [p.kind for p in places(asked, asked, ENDS)] == ["node"]
    assert [p.kind for p in places({("n3", "e1")}, asked, ENDS)] == ["path"]
    both = {("n3", "e1"), ("n3", "e2")}
    assert [p.kind for p in places(both, asked, ENDS)] == ["group"]


def test_every_bad_cell_is_in_one_place() -> None:
    """A row and a column that cross."""
    bad = {("n3", s) for s in ("e1", "e2", "up")} | {(n, "e1") for n in ("n1", "n2", "n3")}
    found = list(places(bad, ASKED, ENDS))
    cells = [c for p in found for c in p.cells]
    assert sorted(cells) == sorted(bad)
    assert [p.kind for p in found] == ["node", "server"]
