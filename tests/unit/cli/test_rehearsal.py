"""`scan --dry-run` against a server that notes every request: the cluster is read, and left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from kubectl_netdoctor.cli.app import main
from tests.unit.cluster.fake_server import FakeServer

READY = [{"type": "Ready", "status": "True"}]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Twelve nodes, one of them dead."""
    fake = FakeServer()
    for number in range(12):
        fake.store.add(
            "nodes",
            {
                "metadata": {"name": f"w{number:02}", "labels": {"kubernetes.io/os": "linux"}},
                "spec": {},
                "status": {
                    "conditions": READY,
                    "addresses": [{"type": "InternalIP", "address": f"192.0.2.{number + 1}"}],
                    "nodeInfo": {"operatingSystem": "linux"},
                },
            },
        )
    yield fake
    fake.stop()


def dry_run(
    server: FakeServer, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit code and both outputs of a rehearsal."""
    where = ("--server", server.url, "--token", "t", "-n", "ns")
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--dry-run", *where, *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def test_it_creates_nothing_and_says_what_it_would(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Objects, bounds, and each node's neighbours."""
    code, out, err = dry_run(server, capsys, "--all-nodes")
    assert code == 0, err
    assert "nothing was created" in out
    assert "12 Job(s) with the privileged agent" in out
    assert "12 unprivileged companion Pod(s)" in out
    assert "packets a second" in out
    assert all(f"w{number:02}" in out for number in range(12))
    assert not server.store.of("jobs") + server.store.of("pods")
    made = [r for r in server.requests if r.method == "POST" and r.query.get("dryRun") != "All"]
    assert all(r.path.endswith("selfsubjectaccessreviews") for r in made)
    assert not [r for r in server.requests if r.method in ("PUT", "PATCH", "DELETE")]


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_objects_themselves(
    server: FakeServer, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """An anchor, and an agent and a companion for each node that was chosen."""
    code, out, err = dry_run(server, capsys, "--node", "w03", "-o", form)
    assert code == 0, err
    items = list(yaml.safe_load_all(out)) if form == "yaml" else json.loads(out)["items"]
    assert [i["kind"] for i in items] == ["Job", "Job", "Pod"]
    assert items[0]["spec"]["parallelism"] == 0
    assert items[1]["spec"]["template"]["spec"]["nodeName"] == "w03"
    assert items[2]["spec"]["nodeName"] == "w03"


def test_without_companions(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not asked for is not shown."""
    _, out, _ = dry_run(server, capsys, "--node", "w03", "--no-companion")
    assert "no companions" in out
    assert "from the pod network" not in out


@pytest.mark.parametrize("wrong", [("--local",), ("--all-nodes", "-o", "short")])
def test_what_makes_no_sense_is_refused(
    server: FakeServer, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    """One sentence and exit 2."""
    code, out, err = dry_run(server, capsys, *wrong)
    assert (code, out) == (2, "")
    assert "--dry-run" in err
