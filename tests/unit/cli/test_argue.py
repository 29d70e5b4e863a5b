"""`explain --finding N FILE`: which row is meant, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netdoctor.cli.bundle import write_bundle
from kubectl_netdoctor.cli.saved import to_bytes
from tests.unit.cli.test_app import fixture, run
from tests.unit.recorded import recorded

FAULT = fixture("vxlan_port_blocked")


def argued(capsys: pytest.CaptureFixture[str], wanted: str, *more: str) -> tuple[int, str, str]:
    """One `explain --finding`."""
    return run(capsys, "explain", "--finding", wanted, *more, FAULT)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("1", 1),
        ("4", 4),
        ("ENC-01", 1),
        ("rte-13", 2),
        ("RTE-13@Node/n3", 2),
        ("DNS-05@Pod/kube-system/coredns-5876d57d49-z52p6,Node/n3", 4),
    ],
)
def test_a_row_by_number_key_or_id(
    capsys: pytest.CaptureFixture[str], wanted: str, number: int
) -> None:
    """The same row in text and in JSON, and the report's number."""
    code, out, err = argued(capsys, wanted)
    assert (code, err) == (0, "")
    assert f"row {number} of 4" in out.splitlines()[0]
    _, text, _ = argued(capsys, wanted, "-o", "json")
    _, report, _ = run(capsys, "analyze", FAULT, "-o", "json")
    one = json.loads(text)
    assert one["number"] == number
    assert one["finding"] == json.loads(report)["findings"][number - 1]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("0", "there is no row 0: there are 4 rows"),
        ("5", "there is no row 5: there are 4 rows"),
        ("-1", "no row is '-1'"),
        ("9" * 4000, "there is no row 999999999: "),
        ("0000000002", "there is no row "),
        ("DNS-05", "DNS-05 is in rows 3, 4: give one number"),
        ("CT-01", "no row is 'CT-01'"),
        ("\x1b[2J", "no row is "),
        ("", "no row is ''"),
    ],
)
def test_a_bad_row_is_one_sentence_and_a_hint(
    capsys: pytest.CaptureFixture[str], wanted: str, words: str
) -> None:
    """Exit code 2, nothing on standard output."""
    code, out, err = argued(capsys, wanted)
    assert (code, out) == (2, "")
    sentence, hint = err.splitlines()
    assert sentence.startswith("usage: ")
    assert words in sentence
    assert "\x1b" not in err
    assert len(sentence) < 200
    assert hint == "hint: kubectl netdoctor analyze FILE -o wide numbers the rows"


def test_numbers_agree_with_a_report_of_the_same_choice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """--select, --ignore and --suppressions move rows up."""
    code, out, _ = argued(capsys, "1", "--ignore", "ENC")
    assert code == 0
    assert out.splitlines()[1].startswith("RTE-13")
    assert "row 1 of 3" in out
    accepted = tmp_path / "accepted.yaml"
    accepted.write_text("suppressions: [{id: ENC-01, reason: known, expires: 2099-01-31}]\n")
    code, _, err = argued(capsys, "1", "--suppressions", str(accepted))
    assert code == 2  # what it explains went with it
    assert "nothing was found" in err


def test_a_bundle_is_read_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """As `analyze` reads it."""
    file = tmp_path / "b.tar.gz"
    write_bundle(str(file), "abc", {"snapshot.json": to_bytes(recorded("packet_loss"))})
    code, out, _ = run(capsys, "explain", "--finding", "1", str(file))
    assert code == 0
    assert "NIC-03" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", "--finding", "1", fixture("healthy")], "nothing was found"),
        (["explain", "--finding", "1", "/nowhere/x.json"], "cannot read"),
        (["explain", "--finding", "1"], "Missing argument"),
        (["explain", "--finding", "1", "--select", "nonsense", FAULT], "no check has an ID"),
        (["explain", "RTE-09", "-o", "json"], "go with --finding"),
        (["explain", "RTE-09", "--select", "RTE"], "go with --finding"),
    ],
)
def test_what_cannot_be_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """Refused in words, with exit code 2."""
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_help_loads_no_judgement() -> None:
    """Checks and reports are imported by the commands that need them."""
    code = (
        "import sys\nfrom kubectl_netdoctor.cli.app import main\n"
        "try:\n    main(['explain', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.startswith(('kubectl_netdoctor.analysis', "
        "'kubectl_netdoctor.checks', 'kubectl_netdoctor.report'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
