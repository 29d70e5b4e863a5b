"""Processes are told apart even when their ids are used again."""

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.process import Process, inhabitants, wait_for


def test_this_process_is_alive() -> None:
    assert Process.of(os.getpid()).alive()


def test_a_process_dies() -> None:
    """Killed and not yet collected by its parent is dead already."""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        process = Process.of(sleeper.pid)
        assert process.alive()
        process.kill()
        assert not process.alive()


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another boot"}])
def test_another_process_with_its_id_is_not_it(change: dict[str, object]) -> None:
    """An id that was used again, or that is from before a reboot, names nobody."""
    assert not dataclasses.replace(Process.of(os.getpid()), **change).alive()  # type: ignore[arg-type]


def test_record_is_read_back(tmp_path: Path) -> None:
    process = Process.of(os.getpid())
    process.write(tmp_path / "record")
    assert Process.read(tmp_path / "record") == process


@pytest.mark.parametrize("content", [None, "", "{}", "[1]"])
def test_no_record(tmp_path: Path, content: str | None) -> None:
    """A record that is absent, or was cut short, names nobody."""
    if content is not None:
        (tmp_path / "record").write_text(content)
    assert Process.read(tmp_path / "record") is None


def test_inhabitants_are_found_by_namespace_but_not_this_line() -> None:
    """A child in this network namespace counts; this process and its ancestors never do."""
    with subprocess.Popen(["sleep", "60"]) as child:
        found = inhabitants([Path("/proc/self/ns/net")], "no-such-cgroup")
        child.kill()
    assert child.pid in found
    assert not {os.getpid(), os.getppid()} & set(found)


def test_waiting_ends_with_a_sentence() -> None:
    with pytest.raises(LabError, match=r"waited 0\.01 s for the moon"):
        wait_for("the moon", lambda: False, 0.01, every=0.001)
