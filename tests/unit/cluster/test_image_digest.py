"""Which image a node's agent really ran: the kubelet says it, tags do not."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.cluster.order import RunOptions
from kubectl_netdoctor.cluster.pod_status import image_digest
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from tests.unit.cluster.fake_kubelet import STARTED, Kubelets, plan_for

DIGEST = "sha256:" + "0a" * 32
OPTIONS = RunOptions("r1", "netdoctor", AgentImage("netdoctor-agent:1"), deadline=2.0)


def run(api: Api, *names: str) -> dict[str, NodeReport]:
    """The reports of a run."""
    outcome = run_agents(api, {n: plan_for("r1", n) for n in names}, OPTIONS)
    return {r.name: r for r in outcome.reports}


@pytest.mark.parametrize(
    ("said", "digest"),
    [
        (f"registry.example:5000/netdoctor-agent@{DIGEST}", DIGEST),
        (f"docker-pullable://netdoctor-agent@{DIGEST}", DIGEST),
        (DIGEST, DIGEST),  # loaded, never pulled
        ("", None),
        ("netdoctor-agent:0.1.0", None),
        (f"{DIGEST}0", None),
        (f"x{DIGEST}", None),
        ("sha256:" + "g" * 64, None),
        (None, None),
        (7, None),
    ],
)
def test_the_digest_is_read_or_there_is_none(said: object, digest: str | None) -> None:
    """Anything that is no digest is no answer."""
    assert image_digest({"status": {"containerStatuses": [{"imageID": said}]}}) == digest
    assert image_digest({"status": {}}) is None


def test_each_report_has_its_own(api: Api, kubelets: Kubelets) -> None:
    """Nodes may have pulled one tag at different times; one that says nothing has none."""
    other = "sha256:" + "0b" * 32
    kubelets.images = {"n1": f"r/agent@{DIGEST}", "n2": f"r/agent@{other}"}

    reports = run(api, "n1", "n2", "n3")

    assert {r.status for r in reports.values()} == {NodeStatus.ANSWERED}
    assert [reports[n].image_digest for n in ("n1", "n2", "n3")] == [DIGEST, other, None]


def test_an_agent_that_failed_ran_an_image_too(api: Api, kubelets: Kubelets) -> None:
    """It may be the reason."""
    running = {"name": "agent", "state": {"running": {}}, "imageID": DIGEST}
    kubelets.fates = {
        "n1": {"phase": "Running", "startTime": STARTED, "containerStatuses": [running]}
    }

    report = run(api, "n1")["n1"]

    assert report.status is NodeStatus.FAILED
    assert report.image_digest == DIGEST
