"""What a machine lacks is said in sentences."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.lab import __main__ as command_line
from tests.lab import machine, packages
from tests.lab.machine import missing

pytestmark = pytest.mark.usefixtures("able")


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lacks nothing, as far as can be pretended."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setattr(packages, "absent", list)
    monkeypatch.setattr(machine, "go_version", lambda: "go1.26.8")
    monkeypatch.setattr(machine, "_works", lambda _: True)
    monkeypatch.setattr(machine, "_without_cgroups", list)
    monkeypatch.setattr(machine, "_without_overlay", list)


def test_nothing() -> None:
    assert missing() == []


def test_not_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere nothing more is worth saying."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert missing() == ["The lab needs Linux; this is darwin."]


def test_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (sentence,) = missing()
    assert sentence.startswith("The lab needs root")


def test_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == "go" else name)
    (sentence,) = missing()
    assert sentence.startswith("Go 1.26 or newer is not on PATH")


@pytest.mark.parametrize("version", ["go1.19.8", "go1.9", "devel", "an unknown version"])
def test_old_go(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(machine, "go_version", lambda: version)
    (sentence,) = missing()
    assert version in sentence


@pytest.mark.parametrize("version", ["go1.26", "go1.27.1", "go2.0"])
def test_new_go(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(machine, "go_version", lambda: version)
    assert missing() == []


def test_packages_that_nothing_can_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "absent", lambda: ["containerd", "runc"])
    assert missing() == []
    monkeypatch.setattr(packages, "can_install", lambda: False)
    assert missing() == ["There is no apt-get to install these packages: containerd runc."]


def test_no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_works", lambda _: False)
    (sentence,) = missing()
    assert "may not make namespaces" in sentence


def test_every_lack_is_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    found = missing()
    assert len(found) == 2
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in found)


def test_command_line_says_so_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command_line.main(["up", "2"]) == 2
    assert capsys.readouterr().err.startswith("The lab needs root")


def test_room_is_made_once(tmp_path: Path) -> None:
    """A limit that is high enough stays as its owner set it."""
    limit = tmp_path / "max_user_instances"
    limit.write_text("128\n")
    machine.make_room(limit)
    assert limit.read_text() == "8192"
    limit.write_text("100000\n")
    machine.make_room(limit)
    assert limit.read_text() == "100000\n"
