"""The command line without a cluster: exit codes, errors, hostile files, completion."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.completion import candidates
from kubectl_netdoctor.cli.run_record import without_secrets
from kubectl_netdoctor.cli.saved import load, save
from kubectl_netdoctor.errors import CannotWrite
from tests.unit.recorded import FOLDER, healthy

HEALTHY = json.loads(gzip.decompress((FOLDER / "healthy.json.gz").read_bytes()))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def fixture(name: str) -> str:
    """Path of a recorded snapshot."""
    return str(FOLDER / f"{name}.json.gz")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["analyze", "HEALTHY"], 0),
        (["analyze", "FAULT"], 1),
        (["analyze", "FAULT", "--fail-on", "critical"], 1),
        (["analyze", "LOSS", "--fail-on", "critical"], 0),
        (["analyze", "FAULT", "--ignore", "RTE,NF,ENC,DNS"], 0),
        (["analyze", "FAULT", "--select", "ct"], 0),
        (["analyze", "FAULT", "--select", "nonsense"], 2),
        (["analyze", "/nowhere/x.json"], 2),
        (["scan", "--local", "--all-nodes"], 2),
        (["scan", "--window", "nonsense"], 2),
        (["scan", "--timeout", "3s", "--local"], 2),
        (["explain", "RTE-09"], 0),
        (["explain", "RTE-99"], 2),
        (["checks"], 0),
        (["version"], 0),
        (["--help"], 0),
        (["nonsense"], 2),
        ([], 2),
    ],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int) -> None:
    """Documented codes, and never a stack."""
    names = {"HEALTHY": "healthy", "FAULT": "vxlan_port_blocked", "LOSS": "packet_loss"}
    given_ = [fixture(names[a]) if a in names else a for a in arguments]
    got, out, err = run(capsys, *given_)
    assert got == code, out + err
    assert "Traceback" not in err
    if code == 2 and arguments:
        assert err


def test_an_incomplete_run_is_3(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing found, and a node that did not answer."""
    data = json.loads(json.dumps(HEALTHY))
    data["nodes"][1].update(status="not-reached", reason="NotReady since noon", envelope=None)
    file = tmp_path / "x.json"
    file.write_text(json.dumps(data))
    code, out, _ = run(capsys, "analyze", str(file))
    assert code == 3
    assert "1 of 3 nodes did not answer" in out
    assert "NotReady since noon" in out


def test_no_cluster_is_one_sentence_and_a_hint(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop without a kubeconfig."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    code, out, err = run(capsys, "scan", "--all-nodes")
    assert code == 4
    assert out == ""
    assert err.startswith("error: ")
    assert "--local" in err


def test_a_snapshot_is_saved_whole_and_read_back(tmp_path: Path) -> None:
    """Plain and gzipped; no half-written file is left where it cannot be written."""
    for name in ("a.json", "a.json.gz"):
        save(healthy(), str(tmp_path / name))
        assert load(str(tmp_path / name)) == healthy()
    with pytest.raises(CannotWrite, match="cannot write"):
        save(healthy(), str(tmp_path / "no" / "such.json"))
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(CannotWrite, match="cannot write"):
        save(healthy(), str(tmp_path / "folder.json"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.json.gz", "folder.json"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"{}", "no netdoctor snapshot"),
        (b"[" * 200_000, "not JSON"),
        (b'{"kind": "netdoctor-snapshot", "schemaVersion": 99}', "schema version 99"),
        (b'{"kind": "netdoctor-snapshot", "schemaVersion": 1, "nodes": 5}', "expected a list"),
        (b"\x1f\x8bnonsense", "damaged gzip"),
        (gzip.compress(json.dumps(HEALTHY).encode())[:-40], "cut off"),
    ],
)
def test_a_broken_file_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    """Whatever was saved there, one sentence and exit 2."""
    file = tmp_path / "x.json"
    file.write_bytes(content)
    code, out, err = run(capsys, "analyze", str(file))
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a JSON document."""
    found = [at]
    pairs = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in pairs:
        found += paths(value, (*at, key))
    return found


PATHS = paths(HEALTHY)[1:]
VALUES: list[Any] = [
    None,
    -1,
    2**80,
    1e308,
    "",
    "x" * 300,
    [],
    {},
    True,
    ["a"],
    {"missing": "failed", "detail": "x"},
]


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(VALUES)), min_size=1, max_size=4))
def test_mutated_snapshots_never_crash(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    """A real snapshot with values replaced: it is judged or refused, and no check breaks the run."""
    data = json.loads(json.dumps(HEALTHY))
    for path, value in changes:
        at = data
        try:
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    file = tmp_path / "x.json"
    file.write_text(json.dumps(data))
    code, _, err = run(capsys, "analyze", str(file), "-o", "wide")
    assert code in (0, 1, 2, 3), err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            [""],
            {
                "scan",
                "analyze",
                "diff",
                "redact",
                "unredact",
                "explain",
                "checks",
                "clean",
                "version",
            },
        ),
        (["sc"], {"scan"}),
        (["scan", "--al"], {"--all-nodes"}),
        (["scan", "-o", "j"], {"json", "jsonl", "junit"}),
        (["scan", "-o", "html"], {"html"}),
        (["scan", "--runner", ""], {"auto", "job", "pod"}),
    ],
)
def test_completion(words: list[str], expected: set[str]) -> None:
    """What kubectl asks for gets candidates and a directive in the last line."""
    *lines, directive = candidates(words)
    assert {line.split("\t")[0] for line in lines} == expected
    assert directive == ":4"


def test_completion_of_files_is_left_to_the_shell() -> None:
    """After analyze, the shell completes file names."""
    assert candidates(["analyze", ""])[-1] == ":0"


def test_a_token_does_not_get_into_a_ticket() -> None:
    """The command line is part of every report."""
    words = ["scan", "--token", "s3cret", "--token=s3cret", "--node", "n1"]
    assert without_secrets(words) == ["scan", "--token", "***", "--token=***", "--node", "n1"]


def test_a_closed_pipe_is_not_a_stack(tmp_path: Path) -> None:
    """`… | head -1` ends quietly."""
    command = (
        f"{sys.executable} -m kubectl_netdoctor analyze {fixture('healthy')} -o json | head -1"
    )
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_kubectl_flags_work_before_and_after_the_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`--kubeconfig X scan` and `scan --kubeconfig X` read the same file."""
    file = tmp_path / "broken"
    file.write_text("{")
    for arguments in (["--kubeconfig", str(file), "scan"], ["scan", "--kubeconfig", str(file)]):
        code, _, err = run(capsys, *arguments, "--all-nodes")
        assert code == 4
        assert str(file) in err
