"""Several results of one run: where they go, and that files are whole or not there."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.completion import candidates
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.streaming import NodeLines
from kubectl_netdoctor.cli.whole_file import write_whole
from kubectl_netdoctor.cluster.order import Progress
from kubectl_netdoctor.errors import CannotWrite
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from kubectl_netdoctor.report import lines
from tests.unit.recorded import FOLDER, judged, recorded

FAULT = str(FOLDER / "vxlan_port_blocked.json.gz")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `analyze`."""
    with pytest.raises(SystemExit) as ended:
        main(["analyze", FAULT, *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def test_all_formats_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One on standard output, the others as files that hold what standard output would have got."""
    files = [f for f in FORMATS if f != "short"]
    wanted = [w for f in files for w in ("-o", f"{f}={tmp_path / f}")]
    code, out, err = run(capsys, *wanted, "-o", "short")
    assert code == 1
    assert out.startswith("netdoctor ")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(files)
    for form in files:
        assert f"{form} written to {tmp_path / form}" in err
        _, alone, _ = run(capsys, "-o", form)
        assert (tmp_path / form).read_text(encoding="utf-8") == alone


def test_files_alone_leave_standard_output_empty(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The exit code still tells; `-` is standard output."""
    code, out, _ = run(capsys, "-o", f"json={tmp_path / 'x'}")
    assert (code, out) == (1, "")
    assert run(capsys, "-o", "json=-")[1] == (tmp_path / "x").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "json", "-o", "table"],
        ["-o", "json=X", "-o", "yaml=X"],
        ["-o", "json=X", "-o", "yaml=./X"],
        ["-o", "json="],
        ["-o", "pdf"],
        ["-o", "json=no/such/folder"],
        ["-o", "json=."],
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    """A usage error, and no file."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "-o" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["checks"], ["scan", "--dry-run", "--all-nodes"]])
def test_where_files_make_no_sense(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    """Commands that print one thing refuse a file instead of ignoring it."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "-o", f"json={tmp_path / 'x'}"])
    assert ended.value.code == 2
    assert "one result" in capsys.readouterr().err


def test_a_full_disk_is_one_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit 2, one sentence; what could be written is, and standard output too."""
    good = tmp_path / "good.json"
    code, out, err = run(capsys, "-o", "html=/dev/full", "-o", f"json={good}", "-o", "short")
    assert code == 2
    assert out.startswith("netdoctor ")
    assert json.loads(good.read_text())
    assert [line for line in err.splitlines() if line.startswith("error: ")] == [
        "error: cannot write /dev/full: No space left on device"
    ]


def test_no_room_for_the_whole_file_leaves_the_old_one(tmp_path: Path) -> None:
    """A limit in the middle of the file: the old content stays, and no part of the new one."""
    file = tmp_path / "report.html"
    file.write_text("old")
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "from kubectl_netdoctor.cli.app import main\n"
        f"main(['analyze', {FAULT!r}, '-o', 'html={file}'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: cannot write {file}: ")
    assert done.stderr.count("\n") == 1
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    """A new file as the shell makes it; an old one keeps its mode, a link leads to it."""
    new, old, link = tmp_path / "new", tmp_path / "old", tmp_path / "link"
    old.write_text("x")
    old.chmod(0o600)
    link.symlink_to(old)
    mask = os.umask(0o027)
    try:
        write_whole(str(new), b"1")
        write_whole(str(link), b"2")
    finally:
        os.umask(mask)
    assert new.stat().st_mode & 0o777 == 0o640
    assert old.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink()
    assert old.read_bytes() == b"2"


def test_a_pipe_gets_the_bytes(tmp_path: Path) -> None:
    """`-o json=>(jq …)`: what is no file is written to, not replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        write_whole(str(pipe), b"all of it")
        assert reader.communicate(timeout=20)[0] == b"all of it"
    assert pipe.is_fifo()


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between writing and renaming."""

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(tmp_path / "x"), b"1")
    assert list(tmp_path.iterdir()) == []


def test_no_permission_is_one_error(tmp_path: Path) -> None:
    """The name of a folder."""
    with pytest.raises(CannotWrite, match="cannot write"):
        write_whole(str(tmp_path), b"1")


@pytest.mark.parametrize(
    ("typed", "candidate"), [("", "jsonl"), ("mark", "markdown"), ("nonsense=", None)]
)
def test_completion(typed: str, candidate: str | None) -> None:
    """Formats; file names after `=` are the shell's."""
    found = candidates(["scan", "-o", typed])
    assert (candidate in found) if candidate else found == [":4"]


def test_files_are_completed_by_the_shell() -> None:
    """After a format that exists."""
    assert candidates(["scan", "-o", "html=re"]) == [":0"]


def test_lines_come_as_nodes_answer() -> None:
    """Header first, a line for each node as it answers, and at the end only what is new."""
    diagnosis = judged(recorded("vxlan_port_blocked"))
    snapshot = diagnosis.snapshot
    out = io.StringIO()
    stream = NodeLines(out)
    heard: list[Progress] = []
    listen = stream.beside(heard.append)
    stream.begin(snapshot.run)
    for number, report in enumerate(reversed(snapshot.nodes)):
        listen(Progress(3, 0, 0, 1, number, 0))
        listen(Progress(3, 0, 0, 0, number, 0, finished=report))
        assert len(out.getvalue().splitlines()) == number + 2
    assert len(heard) == 6
    first, second, third = snapshot.nodes
    changed = dataclasses.replace(second, status=NodeStatus.SUMMARY, reason="no log")
    later = dataclasses.replace(snapshot, nodes=(first, changed, third))
    rest = list(
        lines.rest(dataclasses.replace(diagnosis, snapshot=later), exit_code=1, told=stream.told)
    )
    nodes = [json.loads(x) for x in rest if json.loads(x)["type"] == "node"]
    assert [(n["name"], n["status"]) for n in nodes] == [("n2", "summary")]
    streamed = out.getvalue() + "".join(lines.rest(diagnosis, exit_code=1, told=stream.told))
    whole = "".join(lines.everything(diagnosis, exit_code=1))
    assert sorted(streamed.splitlines()) == sorted(whole.splitlines())


def test_no_secret_is_streamed() -> None:
    """What is removed from every report is not written before either."""
    out = io.StringIO()
    reason = "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789"
    dead = NodeReport("n9", NodeStatus.FAILED, reason, None)
    NodeLines(out).beside(lambda _: None)(Progress(1, 0, 0, 0, 0, 1, finished=dead))
    assert "n9" in out.getvalue()
    assert "abcdefghij" not in out.getvalue()


def test_a_reader_that_leaves_does_not_stop_the_run() -> None:
    """The run must go on to clean up."""

    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    stream = NodeLines(Gone())
    stream.begin(recorded("healthy").run)
    stream.beside(lambda _: None)(Progress(1, 0, 0, 0, 1, 0, finished=recorded("healthy").nodes[0]))
