"""Two files that cannot be compared are refused; what makes a comparison doubtful is said."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from kubectl_netdoctor.analysis.comparable import doubts, refusal
from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.saved import read, save, to_bytes
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.redaction.redact import Redaction, redact
from tests.unit.recorded import change_cluster, change_items, healthy, recorded

KEY = b"a" * 16


def run_of(snapshot: Snapshot, **changes: object) -> Snapshot:
    """The same, with other words about the run."""
    return dataclasses.replace(snapshot, run=dataclasses.replace(snapshot.run, **changes))  # type: ignore[arg-type]


def elsewhere(server: str | None = "https://10.9.9.9:6443", suffix: str = "") -> Snapshot:
    """Another cluster: other machines under names of that ending."""
    made = change_items(
        Nodes,
        lambda n: dataclasses.replace(n, name=n.name + suffix, created="2020-01-01T00:00:00Z"),
    )
    snapshot = run_of(change_cluster(healthy(), Nodes, made), server=server, context="other")
    nodes = tuple(dataclasses.replace(n, name=n.name + suffix) for n in snapshot.nodes)
    return dataclasses.replace(snapshot, nodes=nodes)


def on_a_machine(name: str) -> Snapshot:
    """What `scan --local` sees."""
    snapshot = run_of(healthy(), local=True, server=None, context=None)
    first = dataclasses.replace(snapshot.nodes[0], name=name)
    return dataclasses.replace(snapshot, nodes=(first,), cluster={})


def undated(snapshot: Snapshot) -> Snapshot:
    """Without the API's list of nodes."""
    cluster = {k: v for k, v in snapshot.cluster.items() if k != "nodes"}
    return dataclasses.replace(snapshot, cluster=cluster)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (healthy(), healthy(), None),
        (healthy(), elsewhere(), "two clusters"),
        (healthy(), elsewhere(suffix="-b"), "two clusters"),
        (undated(healthy()), elsewhere(suffix="-b"), "two clusters"),
        (on_a_machine("n1"), on_a_machine("n2"), "no node of BEFORE"),
        (run_of(healthy(), server="https://127.0.0.1:6443"), elsewhere("https://127.0.0.1:6443"), "two clusters"),
        # Quiet: the same nodes by another way, all of them replaced, or of an older file.
        (healthy(), run_of(healthy(), context="b", server="https://localhost:7443"), None),
        (healthy(), elsewhere(healthy().run.server, "-b"), None),
        (undated(healthy()), elsewhere(), None),
        (on_a_machine("n1"), healthy(), None),
        (run_of(healthy(), ended="2099-01-01T00:00:00Z"), healthy(), "BEFORE is the later run"),
        (healthy(), run_of(healthy(), ended="2099-01-01T00:00:00Z"), None),
        (run_of(healthy(), ended="yesterday"), healthy(), None),
        (run_of(healthy(), ended="2099-01-01"), healthy(), None),
    ],
)  # fmt: skip
def test_doubts(before: Snapshot, after: Snapshot, said: str | None) -> None:
    """One sentence each, and none where two people reach one cluster differently."""
    found = list(doubts(before, after))
    assert len(found) == (said is not None)
    assert said is None or said in found[0]
    assert refusal(before, after) is None


def test_redactions_are_told_apart_by_their_keys() -> None:
    """And so is a file that is not redacted; the fingerprint goes through the file."""
    first, again = redact(healthy(), Redaction(KEY)), redact(healthy(), Redaction(b"b" * 16))
    same = redact(recorded("packet_loss"), Redaction(KEY))
    assert "different keys" in (refusal(first, again) or "")
    assert refusal(first, same) is None
    assert "AFTER is redacted and BEFORE is not" in (refusal(healthy(), first) or "")
    assert "BEFORE is redacted and AFTER is not" in (refusal(first, healthy()) or "")
    assert read(to_bytes(first), "x") == first
    assert KEY.hex()[:8] not in (first.redaction or "")
    older = dataclasses.replace(first, redaction=None)
    assert refusal(older, again) is None
    assert ["whether one map" in d for d in doubts(older, again)] == [True]


def test_older_files_have_no_fingerprint() -> None:
    """They are read as before; one that is no text is refused."""
    data = json.loads(to_bytes(healthy()))
    del data["redaction"]
    assert read(json.dumps(data).encode(), "x") == healthy()
    with pytest.raises(BadInput):
        read(json.dumps({**data, "redaction": 7}).encode(), "x")


@pytest.mark.parametrize("output", ["table", "markdown", "json"])
def test_the_command_warns_in_every_format(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, output: str
) -> None:
    """In the head of the result, on standard output."""
    files = [str(tmp_path / n) for n in ("a.json", "b.json")]
    save(recorded("packet_loss"), files[0])
    save(run_of(elsewhere(suffix="-b"), ended="2001-01-01T00:00:00Z"), files[1])
    with pytest.raises(SystemExit):
        main(["diff", *files, "-o", output])
    out = capsys.readouterr().out
    if output == "json":
        out = "\n".join(f"warning: {w}" for w in json.loads(out)["warnings"])
    assert out.lower().count("warning:") == 2
    assert "two clusters" in out


def test_the_command_refuses_files_of_two_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With what to do."""
    files = [str(tmp_path / n) for n in ("a.json", "b.json")]
    for file in files:
        save(redact(healthy(), Redaction()), file)
    with pytest.raises(SystemExit) as ended:
        main(["diff", *files])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "different keys" in err
    assert "one map" in err
