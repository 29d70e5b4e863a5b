"""Standard output that fails, is closed, is not UTF-8, or that nobody reads: result and exit code."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.packing import RunLog
from kubectl_netdoctor.cli.present import Scanned, prepared
from kubectl_netdoctor.cli.streaming import NodeLines
from kubectl_netdoctor.cli.streams import Checked, put, standard_streams
from kubectl_netdoctor.cli.watching import watch
from kubectl_netdoctor.errors import CannotWrite
from tests.unit.cli.test_watching import OPTIONS
from tests.unit.recorded import FOLDER, healthy, recorded

HEALTHY = str(FOLDER / "healthy.json.gz")
FAULT = str(FOLDER / "vxlan_port_blocked.json.gz")
COMMANDS = (
    ("analyze", HEALTHY),
    ("analyze", HEALTHY, "-o", "json"),
    ("analyze", FAULT, "-o", "html"),
    ("diff", FAULT, HEALTHY),
    ("explain", "RTE-09"),
    ("explain", "--finding", "1", FAULT),
    ("checks",),
    ("version",),
    ("--help",),
)


def code_of(*arguments: str) -> int:
    """Exit code of one command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def full() -> Iterator[io.TextIOWrapper]:
    """A text stream to a disk without room."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        yield stream


@pytest.fixture
def unread() -> Iterator[io.TextIOWrapper]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_one_sentence_and_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    full: io.TextIOWrapper,
    arguments: tuple[str, ...],
) -> None:
    """1 would mean findings; closing the stream must not fail once more."""
    monkeypatch.setattr(sys, "stdout", full)
    assert code_of(*arguments) == 2
    said = capsys.readouterr().err
    assert said == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_closed_output_is_one_sentence_and_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    """As of `>&-`."""
    monkeypatch.setattr(sys, "stdout", None)
    assert code_of(*arguments) == 2
    assert capsys.readouterr().err == "error: cannot write to standard output: it is closed\n"


def test_nothing_is_measured_for_a_closed_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The result would be lost."""
    ran: list[object] = []
    monkeypatch.setattr("kubectl_netdoctor.cli.scan.local", lambda *given: ran.append(given))
    monkeypatch.setattr(sys, "stdout", None)
    assert code_of("scan", "--local", "-q") == 2
    assert ran == []
    assert "it is closed" in capsys.readouterr().err


@pytest.mark.parametrize(("file", "code"), [(HEALTHY, 0), (FAULT, 1)])
def test_files_alone_need_no_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, full: io.TextIOWrapper, file: str, code: int
) -> None:
    """Neither standard output, nor standard error to say so."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", full)
    assert code_of("analyze", file, "-o", f"json={tmp_path / 'x'}") == code
    monkeypatch.setattr(sys, "stderr", None)
    assert code_of("analyze", file, "-o", f"json={tmp_path / 'y'}") == code
    assert (tmp_path / "x").read_text() == (tmp_path / "y").read_text() != ""


@pytest.mark.parametrize("form", ["table", "sarif", "html"])
@pytest.mark.parametrize(("file", "code"), [(HEALTHY, 0), (FAULT, 1)])
def test_a_reader_that_leaves_changes_no_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unread: io.TextIOWrapper,
    file: str,
    code: int,
    form: str,
) -> None:
    """A healthy cluster has no findings under pipefail, a broken one has."""
    monkeypatch.setattr(sys, "stdout", unread)
    assert code_of("analyze", file, "-o", form) == code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("more", ["", "PYTHONUNBUFFERED=1 ", "2>&1 "])
def test_a_real_pipe_under_pipefail(more: str) -> None:
    """Python's own end of the process says nothing either."""
    setting, joined = (more, "") if "=" in more else ("", more)
    tool = f"{setting}{sys.executable} -m kubectl_netdoctor analyze {HEALTHY} -o html {joined}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {tool}| true"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_watch_without_a_reader_ends(
    monkeypatch: pytest.MonkeyPatch, unread: io.TextIOWrapper
) -> None:
    """After the scan whose result nobody took, with its code."""

    def scan() -> Scanned:
        return Scanned(prepared(healthy(), catalogue(), OPTIONS), False, None, RunLog())

    def sleep(_: float) -> None:
        raise AssertionError

    monkeypatch.setattr(sys, "stdout", unread)
    with standard_streams():
        assert watch(scan, OPTIONS, sleep=sleep) == 0


def test_a_full_disk_does_not_stop_a_run_that_streams() -> None:
    """The run goes on to clean up and to write its files; the end says what happened."""
    with Path("/dev/full").open("wb", buffering=0) as full:
        out = io.TextIOWrapper(Checked(full, "standard output", result=True), encoding="utf-8")
        stream = NodeLines(out)
        stream.begin(recorded("healthy").run)
        out.write("the rest")
        with pytest.raises(CannotWrite, match="No space left"):
            out.flush()


@pytest.mark.parametrize("form", ["html", "json", "yaml", "sarif", "junit", "markdown", "jsonl"])
def test_documents_are_utf8_in_every_locale(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    """What a file gets, byte by byte."""
    kept = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(kept, encoding="cp1252"))
    assert code_of("analyze", FAULT, "-o", form, "-o", f"{form}={tmp_path / 'x'}") == 1
    assert kept.getvalue() == (tmp_path / "x").read_bytes() != b""


def test_text_is_in_the_encoding_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it cannot show is escaped."""
    kept = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(kept, encoding="cp1252"))
    with standard_streams():
        put("\N{LATIN SMALL LETTER U WITH DIAERESIS} \N{RIGHTWARDS ARROW}", utf8=False)
    assert kept.getvalue() == b"\xfc \\u2192"


def test_names_come_back_in_utf8(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`unredact` of a report: both ends are UTF-8, as the report is."""
    key, report = tmp_path / "map.json", "\N{RIGHTWARDS ARROW} nothing to translate".encode()
    assert code_of("redact", HEALTHY, "-o", str(tmp_path / "x"), "--map", str(key)) == 0
    kept = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(kept, encoding="cp1252"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(report), encoding="cp1252"))
    assert code_of("unredact", "--map", str(key)) == 0
    assert kept.getvalue() == report


class Narrow(io.RawIOBase):
    """Takes three bytes at a time, and nothing at all after `room`."""

    def __init__(self, room: int) -> None:
        self.room, self.kept = room, b""

    def write(self, data: object, /) -> int | None:
        """A part."""
        assert isinstance(data, memoryview)
        if len(self.kept) >= self.room:
            return None
        self.kept += bytes(data[:3])
        return len(data[:3])


def test_a_stream_that_takes_parts() -> None:
    """As unbuffered ones do: all of it arrives, or it is an error."""
    whole, short = Narrow(100), Narrow(6)
    assert Checked(whole, "x", result=True).write(b"1234567890") == 10  # type: ignore[arg-type]
    assert whole.kept == b"1234567890"
    with pytest.raises(CannotWrite, match="cannot write to x: its reader is too slow"):
        Checked(short, "x", result=True).write(b"1234567890")  # type: ignore[arg-type]


def test_a_defect_is_not_taken_for_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its stack is there, and Python's own code, 1, is not."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("kubectl_netdoctor.cli.show.show", broken)
    assert code_of("analyze", HEALTHY) == 4
    assert "ZeroDivisionError: a defect" in capsys.readouterr().err
