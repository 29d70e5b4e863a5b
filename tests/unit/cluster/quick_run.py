"""A run on the fake cluster whose patience is short."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster import answer, node_run
from kubectl_netdoctor.cluster import run as run_module
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.cluster.order import RunOptions
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.facts.snapshot import NodeReport
from tests.unit.cluster.fake_kubelet import plan_for

IMAGE = AgentImage("agent:1")
OPTIONS = RunOptions("r1", "netdoctor", IMAGE, deadline=10.0)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in seconds for a real cluster waits a moment here."""
    monkeypatch.setattr(node_run, "NO_POD_SECONDS", 0.05)
    monkeypatch.setattr(node_run, "NO_CONTROLLER_SECONDS", 0.15)
    monkeypatch.setattr(node_run, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(node_run, "NO_KUBELET_SECONDS", 0.2)
    monkeypatch.setattr(node_run, "SLOW_START_SECONDS", 0.1)
    monkeypatch.setattr(node_run, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(node_run, "STUCK_SECONDS", 0.1)
    monkeypatch.setattr(run_module, "NEWS_SECONDS", 0.05)
    monkeypatch.setattr(answer, "RETRY_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(answer, "LOG_SECONDS", 0.4)
    monkeypatch.setattr(answer, "SECOND_SECONDS", 0.2)


def run(api: Api, *nodes: str, options: RunOptions = OPTIONS) -> dict[str, NodeReport]:
    """Run on these nodes; reports by name."""
    outcome = run_agents(api, {n: plan_for("r1", n) for n in nodes}, options)
    return {report.name: report for report in outcome.reports}
