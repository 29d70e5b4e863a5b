"""Every request that changes something is noted, for the bundle: what was created and removed."""

from __future__ import annotations

import re

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.cluster.order import RunOptions
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.errors import CouldNotRun
from tests.unit.cluster.fake_kubelet import plan_for
from tests.unit.cluster.fake_server import FakeServer, status


@pytest.mark.usefixtures("kubelets")
def test_a_run_notes_what_it_made_and_removed(api: Api) -> None:
    """Time, request, name and answer; never what was sent."""
    options = RunOptions("r1", "netdoctor", AgentImage("agent:1"), deadline=10.0)
    run_agents(api, {n: plan_for("r1", n) for n in ("n1", "n2")}, options)
    lines = [re.sub(r"^\S+ ", "", line) for line in api.written]
    jobs = "/apis/batch/v1/namespaces/netdoctor/jobs"
    assert lines[0] == f"POST {jobs} netdoctor-r1: 201"
    assert sum(line.startswith(f"POST {jobs} netdoctor-r1-") for line in lines) == 2
    assert lines[-1].startswith(f"DELETE {jobs}/netdoctor-r1: 200")
    assert not any("GET" in line or "secret" in line for line in lines)


def test_a_refusal_is_noted_too(api: Api, server: FakeServer) -> None:
    """With its status."""
    server.on("POST", "/api/v1/namespaces/x/pods", status(403, "Forbidden", "no"))
    with pytest.raises(CouldNotRun):
        api.create("/api/v1/namespaces/x/pods", {"metadata": {"name": "p"}}, {"dryRun": "All"})
    assert api.written[0].endswith("POST /api/v1/namespaces/x/pods p: 403 (dry run)")
