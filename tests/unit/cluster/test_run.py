"""A run: what comes back from each node, and that nothing stays."""

from __future__ import annotations

import time

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.cluster.order import RunOptions
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.facts.snapshot import NodeStatus
from tests.unit.cluster.fake_kubelet import Kubelets, plan_for, report_of
from tests.unit.cluster.fake_server import FakeServer

OPTIONS = RunOptions("r1", "netdoctor", AgentImage("agent:1"), deadline=10.0)


def test_every_node_answers(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """Three nodes, three reports in the order asked, and an empty cluster afterwards."""
    names = ("n3", "n1", "n2")
    t = time.time()
    outcome = run_agents(api, {n: plan_for("r1", n) for n in names}, OPTIONS)
    print(time.time() - t)

    assert [r.name for r in outcome.reports] == list(names)
    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    assert outcome.reports[0].envelope == report_of("r1", "n3")
    assert not server.store.of("jobs")
    assert not server.store.of("pods")
