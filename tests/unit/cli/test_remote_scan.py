"""A whole scan of a fake cluster: what is written of it, redacted or not, and what is left there."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.saved import load
from tests.unit.cluster.fake_kubelet import Kubelets
from tests.unit.cluster.fake_server import FakeServer

NODES = ("shop-worker-1", "shop-worker-2")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    Kubelets(fake)
    fake.store.add("namespaces", {"metadata": {"name": "netdoctor"}})
    for number, name in enumerate(NODES):
        addresses = [{"type": "InternalIP", "address": f"10.7.3.{number + 4}"}]
        ready = [{"type": "Ready", "status": "True"}]
        fake.store.add(
            "nodes",
            {"metadata": {"name": name}, "status": {"addresses": addresses, "conditions": ready}},
        )
    yield fake
    fake.stop()


def scan(server: FakeServer, *arguments: str) -> int:
    """Exit code of a scan of all nodes."""
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "scan", "--all-nodes", "--server", server.url, "--token", "hunter2-hunter2",
                "-n", "netdoctor", "--no-companion", "--timeout", "20s", *arguments,
            ]
        )  # fmt: skip
    assert isinstance(ended.value.code, int)
    return ended.value.code


def content(file: Path) -> dict[str, str]:
    """Texts of a bundle by name."""
    found = {}
    with tarfile.open(file) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            assert stream
            found[member.name.partition("/")[2]] = stream.read().decode()
    return found


def test_the_bundle_tells_what_was_made_and_removed(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two agents and their anchor came and went."""
    bundle, saved = tmp_path / "b.tar.gz", tmp_path / "s.json.gz"
    scan(server, "--bundle", str(bundle), "--save", str(saved))
    found = content(bundle)
    made = [line for line in found["changes.log"].splitlines() if "POST" in line]
    made = [line for line in made if "dry run" not in line and "selfsubject" not in line]
    assert len(made) == 3
    assert "DELETE" in found["changes.log"].splitlines()[-1]
    assert not server.store.of("jobs") + server.store.of("pods")
    assert "shop-worker-2: answered" in found["netdoctor.log"]
    assert load(str(bundle)) == load(str(saved))
    assert not [n for n, text in found.items() if "hunter2" in text]
    out, err = capsys.readouterr()
    assert "VERDICT" in out
    assert "names and addresses are in it" in err


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "markdown"])
def test_a_redacted_scan_writes_no_name_anywhere(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str
) -> None:
    """Standard output, snapshot and bundle; the map has them all."""
    bundle, saved, key = tmp_path / "b.tar.gz", tmp_path / "s.json", tmp_path / "m.json"
    scan(
        server, "--redact", "--map", str(key), "--bundle", str(bundle), "--save", str(saved),
        "-o", form, "-q",
    )  # fmt: skip
    out, _ = capsys.readouterr()
    texts = {**content(bundle), "stdout": out, "saved": saved.read_text()}
    for name, text in texts.items():
        for word in ("shop", "10.7.3.", server.url.rpartition(":")[2] + "x", "hunter2"):
            assert word not in text, (name, word)
    assert "nodeq2" in texts["saved"]
    assert all(f'"{node}"' in key.read_text() for node in NODES)


def test_a_bundle_that_cannot_be_written_costs_no_result(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The result is printed first, then the error; exit 2."""
    folder = tmp_path / "gone"
    folder.mkdir()
    server.rules.append(lambda _request: folder.rmdir() if folder.exists() else None)
    assert scan(server, "--bundle", str(folder / "b.tar.gz")) == 2
    out, err = capsys.readouterr()
    assert "VERDICT" in out
    assert "cannot write" in err
