"""The diff in its formats, and the exit codes of the command."""

from __future__ import annotations

import json

import pytest

from kubectl_netdoctor.analysis.diff import diff
from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.report import differences
from kubectl_netdoctor.report.terminal import PLAIN
from tests.unit.recorded import FOLDER, healthy, judged, recorded


def file(name: str) -> str:
    """Path of a recorded snapshot."""
    return str(FOLDER / f"{name}.json.gz")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((file("packet_loss"), file("healthy")), 1),
        ((file("healthy"), file("packet_loss"), "--fail-on", "new"), 1),
        ((file("packet_loss"), file("healthy"), "--fail-on", "new"), 0),
        ((file("packet_loss"), file("healthy"), "--fail-on", "never"), 0),
        ((file("packet_loss"), file("healthy"), "--ignore", "NIC,DNS"), 0),
        ((file("healthy"), file("healthy")), 0),
        ((file("healthy"), "/nowhere.json"), 2),
        ((file("healthy"),), 2),
    ],
)
def test_exit_codes(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    """As documented, for every choice."""
    with pytest.raises(SystemExit) as ended:
        main(["diff", *arguments])
    assert ended.value.code == code, capsys.readouterr()


def test_the_table_says_what_is_fixed_and_what_it_had_explained() -> None:
    """One line for the cause."""
    symptoms = len(judged(recorded("forward_drop")).findings) - 1
    text = differences.differences(diff(judged(recorded("forward_drop")), judged(healthy())), PLAIN)
    assert f"DIFF  1 (explains {symptoms} more) fixed" in text
    assert "FIXED     critical  NF-01" in text
    assert text.count("FIXED") == 1


def test_json_has_every_finding_once(capsys: pytest.CaptureFixture[str]) -> None:
    """What went and what came, whole."""
    with pytest.raises(SystemExit):
        main(["diff", file("fdb_entry_deleted"), file("packet_loss"), "-o", "json"])
    got = json.loads(capsys.readouterr().out)
    assert (got["kind"], got["schemaVersion"]) == ("netdoctor-diff", "1.0")
    assert [f["id"] for f in got["fixed"] if not f["causedBy"]] == ["ENC-05"]
    assert [f["id"] for f in got["new"]] == ["NIC-03"]
    assert got["different"] is True


def test_markdown_escapes_what_comes_from_outside(capsys: pytest.CaptureFixture[str]) -> None:
    """One row for each cause, with an evidence of what is new."""
    with pytest.raises(SystemExit):
        main(["diff", file("healthy"), file("packet_loss"), "-o", "markdown"])
    out = capsys.readouterr().out
    assert out.startswith("## netdoctor diff: 1 new\n")
    assert "| new | high | NIC-03 | Packets between nodes are lost | n3 | " in out
    assert differences._cell("<b>|`x`") == "&lt;b&gt;\\|\\`x\\`"
