"""`scan -o jsonl` from end to end, with a made-up run in place of the cluster."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import MagicMock

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cluster.order import Listener, Outcome, Progress
from kubectl_netdoctor.facts.snapshot import NodeReport
from tests.unit.recorded import recorded

SEEN = recorded("vxlan_port_blocked")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[int]:
    """How many lines there were on standard output whenever a node had answered."""
    counts: list[int] = []
    api = MagicMock(context="lab", server="https://198.18.0.1:6443", written=[])
    orders = MagicMock(chosen=SEEN.run.nodes, skip={}, cluster=dict(SEEN.cluster), plans={})

    def run_agents(*_given: Any, progress: Listener, **_more: Any) -> Outcome:
        done: list[NodeReport] = []
        for report in reversed(SEEN.nodes):
            done.append(report)
            progress(Progress(3, 0, 0, 3 - len(done), len(done), 0, finished=report))
            counts.append(len(capsys.readouterr().out.splitlines()))
        return Outcome(SEEN.nodes)

    monkeypatch.setattr("kubectl_netdoctor.cluster.connect.connect", lambda _: api)
    monkeypatch.setattr("kubectl_netdoctor.cli.scan.prepare", lambda *_: orders)
    monkeypatch.setattr("kubectl_netdoctor.cluster.run.run_agents", run_agents)
    monkeypatch.setattr(
        "kubectl_netdoctor.cluster.service_changes.read_service_changes", lambda _: {}
    )
    return counts


def scan(*arguments: str) -> None:
    """The command; a finding is there."""
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--all-nodes", "-q", *arguments])
    assert ended.value.code == 1


def test_nodes_are_written_as_they_answer(
    written: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The header with the first node, one line for each, and none of them again at the end."""
    scan("-o", "jsonl")
    assert written == [2, 1, 1]
    kinds = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert "header" not in kinds
    assert "node" not in kinds
    assert kinds[0] == "finding"
    assert kinds[-1] == "verdict"


def test_other_formats_wait(written: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing comes before all is known; so too with --redact, whose names are not known yet."""
    scan("-o", "json")
    json.loads(capsys.readouterr().out)
    scan("-o", "jsonl", "--redact")
    assert written == [0] * 6
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["type"] == "header"
    assert not {n["name"] for n in lines if n["type"] == "node"} & set(SEEN.run.nodes)
