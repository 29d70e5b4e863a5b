"""The file of --suppressions: read strictly, and what it does to the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.suppressions import read_suppressions
from kubectl_netdoctor.errors import BadInput
from tests.unit.recorded import FOLDER

LOSS = str(FOLDER / "packet_loss.json.gz")
GOOD = """
suppressions:
  - id: NIC-03
    nodes: n*
    reason: >
      the old switch,
      replaced in March
    expires: 2027-03-31
"""


def write(folder: Path, text: str) -> str:
    """The file."""
    file = folder / "s.yaml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("output", ["table", "wide", "short", "markdown", "json", "yaml"])
def test_accepted_findings_are_told_apart_and_do_not_count(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, output: str
) -> None:
    """Exit 0 or 3 instead of 1, and the reason in the report."""
    with pytest.raises(SystemExit) as ended:
        main(["analyze", LOSS, "--suppressions", write(tmp_path, GOOD), "-o", output])
    out, err = capsys.readouterr()
    assert ended.value.code == 0
    assert "1 accepted, nothing else found" in out
    assert "the old switch, replaced in March" in " ".join(out.split())
    assert "2027-03-31" in out
    assert "Packets between nodes are lost" in " ".join(out.split())
    assert err == ""
    if output == "json":
        assert json.loads(out)["suppressed"][0]["id"] == "NIC-03"


def test_names_of_the_file_are_those_of_before_the_redaction(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And its reasons are redacted with the rest."""
    text = GOOD.replace("n*", "n3").replace("old", "xyzzy")
    with pytest.raises(SystemExit) as ended:
        main(["analyze", LOSS, "--redact", "--suppressions", write(tmp_path, text), "-o", "json"])
    out, err = capsys.readouterr()
    assert ended.value.code == 0
    assert json.loads(out)["suppressed"][0]["subjects"] == [{"kind": "Node", "name": "nodeq3"}]
    assert "xyzzy" not in out + err


def test_a_secret_in_a_reason_is_not_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without --redact, too: the report is handed on, the file may not be."""
    text = GOOD.replace("the old switch", "password=hunter2hunter2")
    with pytest.raises(SystemExit):
        main(["analyze", LOSS, "--suppressions", write(tmp_path, text), "-o", "json"])
    out, err = capsys.readouterr()
    assert json.loads(out)["suppressed"][0]["reason"].startswith("password=***")
    assert "hunter2" not in out + err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected one key"),
        ("- id: NIC-03", "expected one key"),
        ("suppressions: {}\nmore: 1", "expected one key"),
        ("suppressions: 5", "no list"),
        ("suppressions: [5]", "entry 1 is no mapping"),
        ("suppressions: [{id: NIC-03}]", "gives no reason"),
        ("suppressions: [{id: NIC-03, reason: ' '}]", "gives no reason"),
        ("suppressions: [{id: NIC-99, reason: x}]", "ID of no check"),
        ("suppressions: [{id: NIC-03, reason: x, expires: soon}]", "is no day"),
        ("suppressions: [{id: NIC-03, reason: x, nodes: [1]}]", "no list of names"),
        ("suppressions: [{id: NIC-03, reason: x, nodes: []}]", "no list of names"),
        ("suppressions: [{id: NIC-03, reason: x, node: n1}]", "unknown field 'node'"),
        ("a: &a [x]\nb: [*a, *a]", "aliases"),
        ("{" * 5000, "not YAML"),
        ("suppressions: [!!python/object:os.system {}]", "not YAML"),
        ("\0", "not YAML"),
        ("suppressions: []\nsuppressions: []", "line 2 has the key 'suppressions' a second time"),
        (GOOD + "    id: NIC-04\n", "line 9 has the key 'id' a second time"),
        ('suppressions: [{id: NIC-03, reason: x, "reason": y}]', "'reason' a second time"),
        ("suppressions: !!map [x]", "not YAML"),
    ],
)
def test_a_wrong_file_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, words: str
) -> None:
    """Before anything is judged: a typing error must not hide a fault."""
    with pytest.raises(SystemExit) as ended:
        main(["analyze", LOSS, "--suppressions", write(tmp_path, text)])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Never anything else."""
    file = tmp_path_factory.mktemp("s") / "s.yaml"
    file.write_text("suppressions:\n- " + text, encoding="utf-8", errors="replace")
    with pytest.raises(BadInput):
        read_suppressions(str(file))


def test_no_file_is_one_sentence() -> None:
    """Named."""
    with pytest.raises(BadInput, match="cannot read"):
        read_suppressions("/nowhere/s.yaml")
