"""The fleet view in the wide table, in JSON, and in the HTML page."""

from __future__ import annotations

import io
import json

from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.report.fleet import NAMED, ROWS, section
from kubectl_netdoctor.report.html.nodes import COLUMNS, properties
from kubectl_netdoctor.report.terminal import PLAIN
from tests.unit.analysis import fleets
from tests.unit.recorded import healthy, judged, sysctl

PARAMETER = "net.ipv4.tcp_mtu_probing"


def text(snapshot: Snapshot, output: str) -> str:
    """One format, as into a pipe."""
    return render(judged(snapshot), output, 0, io.StringIO())


def page(snapshot: Snapshot) -> str:
    """The part of the HTML page about nodes."""
    names = [n.name for n in snapshot.nodes]
    return properties(names, fleet(snapshot).traits).text


def test_the_section_is_there_only_where_a_node_differs() -> None:
    """And only in the wide table."""
    assert "FLEET" not in text(healthy(), "wide")
    snapshot = fleets.kernel(healthy(), "n2")
    wide = text(snapshot, "wide")
    assert "FLEET" in wide
    row = next(line for line in wide.splitlines() if "5.4.0" in line)
    assert " ".join(row.split()) == "kernel 5.4.0 on n2 6.18.44-fc-v669 (2 of 3)"
    assert "FLEET" not in text(snapshot, "table")


def test_two_nodes_have_no_section() -> None:
    """Nobody can say which of them is odd."""
    assert section(fleet(fleets.kernel(fleets.of("a", "b"), "b")), PLAIN) == []


def test_pools_and_unknown_nodes_are_named() -> None:
    """Where there are several pools; some names stand for all."""
    names = [f"w{n}" for n in range(9)]
    snapshot = fleets.of(*names)
    labels = {n: {"agentpool": "blue" if n < "w4" else "green"} for n in names}
    snapshot = fleets.labelled(snapshot, labels)
    for name in names[4:]:
        snapshot = fleets.silent(snapshot, name)
    lines = section(fleet(fleets.kernel(snapshot, "w1")), PLAIN)
    assert len(lines) == 3
    assert "5.4.0 on w1" in lines[2]
    assert "(3 of 4, pool blue amd64)" in lines[2]
    assert lines[2].endswith(f"w4, w5, w6, w7 and {5 - NAMED} more")


def test_a_section_of_many_rows_says_how_many() -> None:
    """Not more than a screen."""
    snapshot = healthy()
    for number in range(ROWS + 5):
        for node, value in (("n1", "0"), ("n2", "0"), ("n3", "1")):
            snapshot = sysctl(snapshot, node, f"net.x{number}", value)
    lines = section(fleet(snapshot), PLAIN)
    assert len(lines) == ROWS + 2
    assert lines[0].endswith(f"the first {ROWS} of {ROWS + 5}")


def test_hostile_values_are_made_harmless() -> None:
    """A node may say anything of its kernel."""
    lines = section(fleet(fleets.kernel(healthy(), "n2", "\x1b[31m")), PLAIN)
    assert "\x1b" not in "".join(lines)


def test_json_has_every_majority() -> None:
    """With its outliers, and the nodes of which it is not known."""
    snapshot = fleets.silent(fleets.kernel(fleets.of("a", "b", "c", "d"), "c"), "d")
    rows = json.loads(text(snapshot, "json"))["fleet"]
    assert {
        "group": "Machine",
        "trait": "kernel",
        "pool": "Debian GNU/Linux amd64",
        "usual": "6.18.44-fc-v669",
        "agree": 2,
        "outliers": [{"node": "c", "value": "5.4.0"}],
        "unknown": ["d"],
    } in rows
    assert not any(r["outliers"] for r in rows if r["trait"] != "kernel")
    assert json.loads(text(fleets.of("a", "b"), "json"))["fleet"] == []


def test_the_page_marks_outliers_and_nothing_else() -> None:
    """Too few nodes: nothing is marked, and it says why."""
    one = page(fleets.kernel(healthy(), "n2"))
    assert one.count('class="odd"') == 1
    assert "most have 6.18.44-fc-v669" in one
    assert 'class="odd"' not in page(healthy())
    two = page(fleets.kernel(fleets.of("a", "b"), "b"))
    assert 'class="odd"' not in two
    assert "Too few nodes" in two


def test_a_page_of_many_nodes_names_outliers_and_small_pools() -> None:
    """Values of nodes that are held against no majority are not lost."""
    names = [f"w{n}" for n in range(COLUMNS + 1)]
    snapshot = fleets.kernel(fleets.kernel(fleets.of(*names), "w1"), "w8", "6.1")
    snapshot = fleets.labelled(snapshot, {"w8": {"agentpool": "single"}})
    found = page(snapshot)
    assert "6.18.44-fc-v669 (7 of 8)" in found
    assert "≠</span> 5.4.0: w1; 6.1: w8" in found
