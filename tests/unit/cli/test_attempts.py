"""Several files of one run: a failure takes no other with it, and each is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.errors import CannotWrite
from tests.unit.recorded import recorded

SEEN = recorded("forward_drop")


@pytest.fixture(autouse=True)
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan that has seen a fault, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kubectl_netdoctor.cli.scan.local", lambda *_: SEEN)


def scan(capsys: pytest.CaptureFixture[str], line: str) -> tuple[list[str], str]:
    """The errors of a scan that ends with 2, and standard output."""
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--local", "-q", *line.split()])
    out, err = capsys.readouterr()
    assert ended.value.code == 2, err
    return [line for line in err.splitlines() if line.startswith("error: ")], out


NO_ROOM = "error: cannot write /dev/full: No space left on device"
NO_MAP = "error: cannot write m: no room"


@pytest.fixture
def map_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that is written, the map."""

    def no_room(*_: object, **_more: object) -> None:
        raise CannotWrite("cannot write m: no room")

    monkeypatch.setattr("kubectl_netdoctor.cli.redacting.write_whole", no_room)


def there() -> list[str]:
    """The names of all files."""
    return sorted(path.name for path in Path().iterdir())


def test_a_snapshot_without_room_costs_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Pseudonyms in the others can be translated back: the map is there."""
    line = "--redact --map map.json --save /dev/full --bundle b.tar.gz -o html=r.html -o json"
    errors, out = scan(capsys, line)
    assert errors == [NO_ROOM]
    assert there() == ["b.tar.gz", "map.json", "r.html"]
    assert json.loads(Path("map.json").read_text())
    assert load("b.tar.gz").redacted
    assert json.loads(out)["findings"]


@pytest.mark.usefixtures("map_fails")
def test_every_failure_has_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """And what can be written is."""
    line = "--redact --map m --save /dev/full -o html=/dev/full -o json=x -o short"
    errors, out = scan(capsys, line)
    assert errors == [NO_MAP, NO_ROOM, NO_ROOM]
    assert there() == ["x"]
    assert out.startswith("netdoctor ")


def test_the_map_comes_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever presses Ctrl-C meanwhile has no file that only a lost map explains."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_netdoctor.cli.present.save", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--local", "--redact", "--map", "m", "--save", "s", "-o", "json=x"])
    assert ended.value.code == 130, capsys.readouterr()
    assert there() == ["m"]


@pytest.mark.usefixtures("map_fails")
def test_analyze_tries_all_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A map without room does not take the report with it."""
    with pytest.raises(SystemExit):
        main(["scan", "--local", "-q", "--save", "s.json"])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["analyze", "s.json", "--redact", "--map", "m", "-o", "short"])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (2, NO_MAP + "\n")
    assert out.startswith("netdoctor ")
