"""Whose labs are swept, and what is left of them."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab import locks
from tests.lab.leftovers import OWNER, lock_of, remains, remove, sweep
from tests.lab.process import Process
from tests.lab.spec import Spec


def ended_process() -> Process:
    """Return a process that was and is no more."""
    with subprocess.Popen(["sleep", "60"]) as child:
        process = Process.of(child.pid)
        child.kill()
    return process


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Three labs: of a process that ended, of one that lives, and one started by hand."""
    for name in ("unit-ended", "unit-living", "unit-by-hand"):
        (tmp_path / name / "log").mkdir(parents=True)
    ended_process().write(tmp_path / "unit-ended" / OWNER)
    Process.of(os.getpid()).write(tmp_path / "unit-living" / OWNER)
    return tmp_path


def labs(state: Path) -> set[str]:
    return {path.name for path in state.iterdir()}


def test_only_labs_of_ended_owners_are_swept(state: Path) -> None:
    assert sweep(state) == ["unit-ended"]
    assert labs(state) == {"unit-living", "unit-by-hand"}
    assert sweep(state) == []


def test_a_lab_that_somebody_works_on_is_not_swept(state: Path) -> None:
    with locks.held(lock_of(Spec("unit-ended", state))):
        assert sweep(state) == []
    assert sweep(state) == ["unit-ended"]


def test_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "absent") == []


def test_remains_are_named_until_removed(state: Path) -> None:
    spec = Spec("unit-by-hand", state)
    assert remains(spec) == [f"folder {spec.home}"]
    remove(spec)
    assert remains(spec) == []
    remove(spec)
