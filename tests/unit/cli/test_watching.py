"""`scan --watch`: the whole result once, then changes, and Ctrl-C ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.outputs import Output
from kubectl_netdoctor.cli.packing import RunLog
from kubectl_netdoctor.cli.present import Scanned, prepared
from kubectl_netdoctor.cli.watching import watch
from kubectl_netdoctor.errors import Interrupted, NoCluster
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import healthy, recorded

OPTIONS: dict[str, Any] = {
    "interval": 7.0, "fail_on": "high", "save": None, "bundle": None, "output": (Output("table"),),
    "redact": False, "map": None, "suppressions": None, "watch": True,
}  # fmt: skip


class Scans:
    """Snapshots and errors, one after the other, then Ctrl-C while it waits."""

    def __init__(self, *results: Snapshot | BaseException, cut: bool = False) -> None:
        self._results = iter(results)
        self._left = len(results)
        self._cut = cut
        self.slept: list[float] = []

    def __call__(self) -> Scanned:
        """The next one."""
        self._left -= 1
        result = next(self._results)
        if isinstance(result, BaseException):
            raise result
        interrupted = self._cut and not self._left
        return Scanned(prepared(result, catalogue(), OPTIONS), interrupted, None, RunLog())

    def sleep(self, seconds: float) -> None:
        """As time.sleep does when somebody presses Ctrl-C."""
        self.slept.append(seconds)
        if not self._left:
            raise KeyboardInterrupt


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Standard output and error since the last look."""
    return capsys.readouterr


def test_only_changes_are_printed(said: Any) -> None:
    """A repair, then quiet, then the fault again."""
    broken, fine = recorded("forward_drop"), healthy()
    scans = Scans(broken, broken, fine, fine, broken)
    assert watch(scans, OPTIONS, sleep=scans.sleep) == 1
    out, err = said()
    assert out.count("VERDICT") == 1
    assert out.count("DIFF") == 2
    assert out.index("FIXED     critical  NF-01") < out.index("NEW       critical  NF-01")
    assert err.count("no change") == 2
    assert scans.slept == [7.0] * 5


def test_the_exit_code_is_that_of_the_last_whole_scan(said: Any) -> None:
    """Cut off in the pause, in a scan, or in a scan of which nothing came."""
    broken, fine = recorded("packet_loss"), healthy()
    for scans in (
        Scans(broken, fine),
        Scans(broken, fine, broken, cut=True),
        Scans(broken, fine, Interrupted("x")),
        Scans(broken, fine, KeyboardInterrupt()),
    ):
        assert watch(scans, OPTIONS, sleep=scans.sleep) == 0
    assert said().err.count("watch ended") == 4


def test_a_cluster_that_is_away_for_a_while_does_not_end_it(said: Any) -> None:
    """The error is said, and what changed meanwhile is seen afterwards."""
    scans = Scans(recorded("packet_loss"), NoCluster("connection refused"), healthy())
    assert watch(scans, OPTIONS, sleep=scans.sleep) == 0
    out, err = said()
    assert "FIXED     high      NIC-03" in out
    assert "error: connection refused" in err
    scans = Scans(healthy(), NoCluster("connection refused"))
    assert watch(scans, OPTIONS, sleep=scans.sleep) == 4


def test_a_first_scan_that_cannot_run_is_an_error() -> None:
    """As without --watch."""
    with pytest.raises(NoCluster):
        watch(Scans(NoCluster("x")), OPTIONS)


def test_the_newest_snapshot_is_saved(said: Any, tmp_path: Path) -> None:
    """Over the one before."""
    file = tmp_path / "x.json"
    scans = Scans(recorded("packet_loss"), healthy())
    watch(scans, {**OPTIONS, "save": str(file)}, sleep=scans.sleep)
    assert json.loads(file.read_text())["run"]["id"] == healthy().run.id
    scans = Scans(healthy(), healthy())
    with pytest.raises(Exception, match="cannot write"):
        watch(scans, {**OPTIONS, "save": str(tmp_path)}, sleep=scans.sleep)
    said()


def test_ctrl_c_ends_a_real_one(tmp_path: Path) -> None:
    """Without a stack, a child or a temporary file."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "kubectl_netdoctor", "scan", "--local", "--watch",
            "--interval", "60s", "--select", "NODE-01", "--timeout", "90s",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    line = process.stdout.readline()
    assert "this machine" in line, process.communicate()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 1, 3)
    assert "watch ended" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
