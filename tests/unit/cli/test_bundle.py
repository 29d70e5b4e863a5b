"""Bundles: complete, checked, repeatable, whole or not there."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.bundle import MANIFEST, snapshot_of, write_bundle
from kubectl_netdoctor.cli.compression import unpack
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.packing import RunLog, Tee, pack
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.errors import BadInput, CannotWrite
from kubectl_netdoctor.facts.codec import DecodeError
from tests.unit.recorded import healthy, judged, recorded

WITHOUT_ZSTANDARD = sys.version_info < (3, 14)


def members(file: Path) -> dict[str, bytes]:
    """Name and content of everything in an archive."""
    found = {}
    with tarfile.open(file) as tar:
        for member in tar:
            assert member.isfile()
            assert not member.name.startswith("/")
            assert ".." not in member.name
            assert (member.uid, member.gid, member.mtime, member.uname) == (0, 0, 0, "")
            stream = tar.extractfile(member)
            assert stream
            found[member.name] = stream.read()
    return found


def packed(folder: Path, name: str = "b.tar.gz") -> Path:
    """A bundle of a recorded fault."""
    log = RunLog(written=["2026 POST /apis/batch/v1/jobs netdoctor-x: 201"], warnings=["slow"])
    log.said.write("3/3 nodes done\n")
    pack(str(folder / name), judged(recorded("forward_drop")), 1, log)
    return folder / name


def test_a_bundle_holds_everything_and_its_checksums(tmp_path: Path) -> None:
    """Snapshot, every format, log, changes, versions; one folder, sorted."""
    found = members(packed(tmp_path))
    run = recorded("forward_drop").run
    folder = f"netdoctor-{run.id}/"
    assert all(name.startswith(folder) for name in found)
    assert list(found) == sorted(found)
    assert len(found) == len(FORMATS) + 5
    manifest = json.loads(found.pop(folder + MANIFEST))
    assert {f["name"]: f["sha256"] for f in manifest["files"]} == {
        n.removeprefix(folder): hashlib.sha256(d).hexdigest() for n, d in found.items()
    }
    assert b"VERDICT  " in found[folder + "report.txt"]
    assert b"POST /apis/batch" in found[folder + "changes.log"]
    log = found[folder + "netdoctor.log"].decode()
    assert f"n2: agent {run.tool_version} {run.ended[:10]}T" in log
    assert log.endswith("exit code 1\n3/3 nodes done\n")
    assert json.loads(found[folder + "versions.json"])["exitCode"] == 1


def test_the_same_run_makes_the_same_bundle(tmp_path: Path) -> None:
    """Byte for byte."""
    assert packed(tmp_path, "a.tar.gz").read_bytes() == packed(tmp_path, "b.tar.gz").read_bytes()


def test_a_bundle_is_analyzed_and_compared(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Like the snapshot in it."""
    file = packed(tmp_path)
    assert load(str(file)) == recorded("forward_drop")
    with pytest.raises(SystemExit) as ended:
        main(["diff", str(file), str(file)])
    assert ended.value.code == 0
    capsys.readouterr()


def test_a_changed_bundle_is_refused(tmp_path: Path) -> None:
    """The checksum of the snapshot does not fit."""
    plain = bytearray(gzip.decompress(packed(tmp_path).read_bytes()))
    at = plain.index(b'"mtu": 1500')
    plain[at : at + 11] = b'"mtu": 1501'
    with pytest.raises(DecodeError, match="was changed"):
        snapshot_of(bytes(plain))


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    """The file of before stays, and no half of the new one."""
    small = tmp_path / "small"
    small.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=False
    )
    if made.returncode:
        pytest.skip("needs root")
    try:
        (small / "b.tar.gz").write_bytes(b"before")
        with pytest.raises(CannotWrite, match="No space left"):
            write_bundle(str(small / "b.tar.gz"), "x", {"snapshot.json": os.urandom(200_000)})
        assert (small / "b.tar.gz").read_bytes() == b"before"
        assert [p.name for p in small.iterdir()] == ["b.tar.gz"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bundle", "x.zip"], "ends in none of"),
        (["--bundle", "/nowhere/x.tar.gz"], "no such folder"),
        (["--bundle", "x.tar.gz", "--watch"], "--watch goes without --bundle"),
        (["--bundle", "x.tar.gz", "--dry-run"], "nothing is measured"),
        (["--watch", "-o", "json"], "goes without -o"),
        (["--watch", "--redact"], "needs --map"),
    ],
)
def test_misuse_is_refused_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """Exit 2, one sentence."""
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--local", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert words in err


@pytest.mark.skipif(not WITHOUT_ZSTANDARD, reason="this Python knows Zstandard")
def test_zstandard_is_refused_by_name_where_python_lacks_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Writing and reading."""
    with pytest.raises(SystemExit):
        main(["scan", "--local", "--bundle", "x.tar.zst"])
    err = capsys.readouterr().err
    assert "no Zstandard" in err
    assert "use .gz" in err
    with pytest.raises(BadInput, match="no Zstandard"):
        unpack(b"\x28\xb5\x2f\xfdxxxx", 100, "x.zst")


@pytest.mark.skipif(WITHOUT_ZSTANDARD, reason="needs Python 3.14")
def test_zstandard_there_and_back(tmp_path: Path) -> None:
    """Where Python has it."""
    file = packed(tmp_path, "b.tar.zst")
    assert load(str(file)) == recorded("forward_drop")


def test_what_is_said_is_kept() -> None:
    """Lines, not the rewritten ones of a terminal."""
    shown, kept = io.StringIO(), io.StringIO()
    tee = Tee(shown, kept)
    tee.write("\r1/3 nodes")
    tee.write("warning: x\n")
    tee.flush()
    assert (shown.getvalue(), kept.getvalue()) == ("\r1/3 nodeswarning: x\n", "warning: x\n")
    assert not tee.isatty()


def test_a_name_of_a_run_cannot_leave_the_folder(tmp_path: Path) -> None:
    """It comes from a file."""
    write_bundle(str(tmp_path / "b.tar.gz"), "../../etc", {"snapshot.json": b"{}"})
    assert all(n.startswith("netdoctor-______etc/") for n in members(tmp_path / "b.tar.gz"))
    assert healthy()
