"""Files of one command: none overwrites another, and what cannot be written is refused at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.places import obstacle
from tests.unit.recorded import FOLDER

HEALTHY = str(FOLDER / "healthy.json.gz")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with an input, two links to it, a link to a file that is not there, and a folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(HEALTHY, "F.json.gz")
    Path("soft").symlink_to("F.json.gz")
    os.link("F.json.gz", "hard")
    Path("dangling").symlink_to("new")
    Path("loop").symlink_to("loop")
    Path("sub").mkdir()
    monkeypatch.setattr("kubectl_netdoctor.cli.scan.local", _too_late)
    monkeypatch.setattr("kubectl_netdoctor.cli.redacting.redaction_of", _too_late)
    return tmp_path


def _too_late(*_: object) -> None:
    raise AssertionError


def refused(capsys: pytest.CaptureFixture[str], folder: Path, line: str) -> str:
    """What is said of a command that ends with 2 and changes no file."""
    before = {p: p.lstat() for p in folder.iterdir()}
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, ""), err
    assert {p: p.lstat() for p in folder.iterdir()} == before
    return err


@pytest.mark.parametrize(
    "line",
    [
        "redact F.json.gz -o same --map same",
        "redact F.json.gz -o soft",
        "redact F.json.gz -o x --map hard",
        "analyze F.json.gz -o json=F.json.gz",
        "analyze F.json.gz -o json=sub/../F.json.gz",
        "analyze soft -o json=hard",
        "analyze F.json.gz -o json=new -o html=dangling",
        "analyze F.json.gz --redact --map x -o json=x",
        "analyze F.json.gz --suppressions soft -o json=x",
        "scan --local --save X -o json=X",
        "scan --local --save X -o json=./X -o table",
        "scan --local --redact --save q.tar.gz --bundle q.tar.gz --map q",
        "scan --local --redact --save q --bundle q.tar.gz --map q",
        "scan --all-nodes --kubeconfig hard --save soft",
    ],
)
def test_two_names_of_one_file(capsys: pytest.CaptureFixture[str], folder: Path, line: str) -> None:
    """Outputs, inputs, links."""
    assert "give another file" in refused(capsys, folder, line)


def test_both_names_are_in_the_sentence(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """So that one knows what to change."""
    said = refused(capsys, folder, "analyze F.json.gz -o json=hard")
    assert said == "usage: -o json: give another file, 'hard' is taken by FILE\n"


def test_the_file_that_the_shell_writes_to(folder: Path) -> None:
    """`>> FILE` on the input would end it as a snapshot."""
    line = f"{sys.executable} -m kubectl_netdoctor analyze F.json.gz -o json >> F.json.gz"
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "taken by" in done.stderr) == (2, True)
    assert (folder / "F.json.gz").read_bytes() == Path(HEALTHY).read_bytes()


def test_devices_overwrite_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Two results for /dev/null."""
    with pytest.raises(SystemExit) as ended:
        main(["analyze", "F.json.gz", "-o", "json=/dev/null", "-o", "html=/dev/null"])
    assert ended.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("sub", "it is a folder"),
        ("no/such", "no such folder"),
        ("F.json.gz/x", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("loop", "Too many levels of symbolic links"),
        ("", "it has no name"),
    ],
)
def test_what_can_never_be_written_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], folder: Path, file: str, why: str
) -> None:
    """For every option that names a file."""
    assert obstacle(file) == why
    for option in ("scan --local --save {}", "scan --local -o json={}",
                   "scan --local --redact --map {}", "analyze F.json.gz -o html={}",
                   "redact F.json.gz --map m -o {}", "scan --local --bundle {}"):  # fmt: skip
        if file or "=" in option:
            refused(capsys, folder, option.format(file))


def test_an_empty_name_is_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    """`--save "$UNSET"` must not measure for nothing."""
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--local", "--save", ""])
    assert (ended.value.code, "it has no name" in capsys.readouterr().err) == (2, True)


def test_a_map_that_is_none_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have been read after the scan."""
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("kubectl_netdoctor.cli.scan.local", _too_late)
    assert "a map is what" in refused(capsys, folder, "scan --local --redact --map F.json.gz")


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are made in their folder, devices are written to; what is writable is writable."""
    asked: list[str] = []

    def denied(path: Path, _: int) -> bool:
        asked.append(str(path))
        return False

    monkeypatch.setattr(os, "access", denied)
    assert obstacle("sub/x") == obstacle("soft") == obstacle("/dev/null") == "no permission"
    here = os.path.realpath(".")
    assert asked == [f"{here}/sub", here, "/dev/null"]
    monkeypatch.undo()
    assert obstacle("/dev/null") is None


@pytest.mark.parametrize(
    "line", ["scan --local --save x.json.zst", "redact F.json.gz --map m -o x.zst"]
)
def test_zstandard_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """Where this Python has none, as for bundles."""
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    assert "knows no Zstandard" in refused(capsys, folder, line)
