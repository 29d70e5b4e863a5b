"""The cache: what changes a key, and what making a thing leaves behind."""

import os
import threading
from pathlib import Path

import pytest

from tests.lab.cache import files_key, keep_newest, key, made


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "main.go").write_text("package main\n")
    (folder / "go.mod").write_text("module x\n")
    return folder


def key_of(folder: Path) -> str:
    return files_key(folder, folder.rglob("*"))


def test_key_tells_where_a_part_ends() -> None:
    """The same letters in other parts are another key."""
    assert key("ab", "c") != key("a", "bc")


def test_key_follows_the_content_of_the_sources(sources: Path) -> None:
    """An edit changes the key, and taking it back restores it."""
    before = key_of(sources)
    (sources / "main.go").write_text("package other\n")
    assert before != key_of(sources)
    (sources / "main.go").write_text("package main\n")
    assert before == key_of(sources)


def test_key_follows_the_names_of_the_sources(sources: Path) -> None:
    """A renamed file is another source."""
    before = key_of(sources)
    (sources / "main.go").rename(sources / "start.go")
    assert before != key_of(sources)


def test_key_ignores_when_a_source_was_written(sources: Path) -> None:
    """A fresh clone builds nothing anew."""
    before = key_of(sources)
    os.utime(sources / "main.go", (1, 1))
    assert before == key_of(sources)


def test_made_is_made_once(tmp_path: Path) -> None:
    """What exists is kept."""
    target, made_as = tmp_path / "thing", []

    def make(path: Path) -> None:
        made_as.append(path)
        path.write_text("whole")

    assert target == made(target, "thing", make, quiet)
    assert target == made(target, "thing", make, quiet)
    assert len(made_as) == 1
    assert made_as[0] != target, "made in place, so a half-made thing would pass for a whole one"
    assert target.read_text() == "whole"


def test_failed_making_leaves_nothing(tmp_path: Path) -> None:
    """Neither a half-made thing nor its lock stays."""

    def fail(path: Path) -> None:
        path.mkdir()
        (path / "half").write_text("")
        message = "out of disk"
        raise OSError(message)

    with pytest.raises(OSError, match="out of disk"):
        made(tmp_path / "thing", "thing", fail, quiet)
    assert list(tmp_path.iterdir()) == []


def test_second_builder_waits_for_the_first(tmp_path: Path) -> None:
    """Two at once make one thing, and the one that waits says so."""
    begun, go_on = threading.Event(), threading.Event()
    makers: list[str] = []
    said: list[str] = []

    def slowly(path: Path) -> None:
        makers.append("first")
        begun.set()
        go_on.wait(10)
        path.write_text("first")

    def at_once(path: Path) -> None:
        makers.append("second")
        path.write_text("second")

    def heard(sentence: str) -> None:
        said.append(sentence)
        go_on.set()

    target = tmp_path / "thing"
    first = threading.Thread(target=made, args=(target, "thing", slowly, quiet))
    first.start()
    begun.wait(10)
    made(target, "thing", at_once, heard)
    first.join(10)
    assert makers == ["first"]
    assert said == ["waiting for another process that makes thing"]
    assert target.read_text() == "first"


def test_keep_newest(tmp_path: Path) -> None:
    """The oldest go first."""
    for age, name in enumerate(("new", "newer", "old", "oldest")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    keep_newest(tmp_path.iterdir(), 2)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "newer"}
