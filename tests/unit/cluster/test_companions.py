"""Companions: started after their agents, told to all agents, gone with the run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_netdoctor.cluster import agent_spec, companion_manifest, companions, manifest
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.cluster.order import Outcome, Runner, RunOptions
from kubectl_netdoctor.cluster.preflight import preflight
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.facts import envelope
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.companion import Companion, Companions
from kubectl_netdoctor.facts.plan import CompanionNews, PeerTarget, read_news
from kubectl_netdoctor.facts.snapshot import NodeStatus
from tests.unit.cluster.fake_kubelet import STARTED, orders, plan_for, report_of, terminated
from tests.unit.cluster.fake_server import FakeServer, Request, Response, status
from tests.unit.cluster.fake_store import Json

OPTIONS = RunOptions("r1", "netdoctor", AgentImage("agent:1"), deadline=8.0, companions=True)
NODES = ("n1", "n2", "n3")
SANDBOX = "Failed to create pod sandbox: plugin failed"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in seconds for a real cluster waits a moment here."""
    monkeypatch.setattr(companions, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(companions, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(companions, "READY_SECONDS", 0.3)


class Nodes:
    """Kubelets whose agents run until they are told of companions."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.order: list[str] = []  # roles of Pods, as they came
        self.news: dict[str, CompanionNews] = {}
        self.fates: dict[str, Json] = {}  # status of a node's companion
        self.forward_not: set[str] = set()
        server.store.kubelet = self.act
        server.rules.append(self.patched)

    def act(self, pod: Json) -> None:
        """Start a Pod."""
        node, role = pod["spec"]["nodeName"], pod["metadata"]["labels"][manifest.ROLE]
        self.order.append(role)
        ready = node not in self.forward_not
        running = [{"name": role, "state": {"running": {}}, "ready": ready}]
        up = {"phase": "Running", "startTime": STARTED, "containerStatuses": running}
        if role == companion_manifest.COMPANION:
            own = self.fates.get(node, {**up, "podIP": f"10.0.0.{node[1:]}"})
            self.server.store.update("pods", {**pod, "status": own})
            return
        self.server.store.update("pods", {**pod, "status": up})

    def patched(self, request: Request) -> Response | None:
        """An agent that was told answers and ends."""
        if request.method != "PATCH":
            return None
        assert request.headers["Content-Type"] == "application/merge-patch+json"
        name = request.path.rpartition("/")[2]
        pod = next(p for p in self.server.store.of("pods") if p["metadata"]["name"] == name)
        plan = orders(pod)
        self.news[plan.node] = read_news(request.body["metadata"]["annotations"][agent_spec.NEWS])
        said = report_of(plan.run, plan.node)
        log = Response(200, envelope.frame(said).encode())
        self.server.logs[plan.node] = lambda: log
        done = [terminated(envelope.summarize(said, ["resolver"]))]
        state = {"phase": "Succeeded", "startTime": STARTED, "containerStatuses": done}
        self.server.store.update("pods", {**pod, "status": state})
        return Response(200, b"{}")


@pytest.fixture
def nodes(server: FakeServer) -> Nodes:
    return Nodes(server)


def run(api: Api, options: RunOptions = OPTIONS) -> Outcome:
    """A run on three nodes that are each other's peers; no deletion happens meanwhile."""
    plans = {
        name: dataclasses.replace(
            plan_for("r1", name),
            peers=tuple(PeerTarget(n, f"192.0.2.{n[1:]}", None) for n in NODES if n != name),
        )
        for name in NODES
    }
    return run_agents(api, plans, options)


def items(outcome: Outcome) -> dict[str, Companion]:
    """Companions by node."""
    assert isinstance(outcome.companions, Companions)
    assert outcome.companions.namespace == "netdoctor"
    return {c.node: c for c in outcome.companions.items}


@pytest.mark.parametrize("runner", [Runner.AUTO, Runner.JOB, Runner.POD])
def test_agents_are_told_of_all(api: Api, server: FakeServer, nodes: Nodes, runner: Runner) -> None:
    """Each of its own companion and of those of its peers; nothing stays."""
    outcome = run(api, dataclasses.replace(OPTIONS, runner=runner))

    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    assert {c.status for c in items(outcome).values()} == {"running"}
    assert nodes.news["n1"].own == "10.0.0.1"
    assert {(c.node, c.address) for c in nodes.news["n1"].peers} == {
        ("n2", "10.0.0.2"),
        ("n3", "10.0.0.3"),
    }
    assert not server.store.of("pods") + server.store.of("jobs")


def test_a_companion_comes_after_its_agent(api: Api, server: FakeServer, nodes: Nodes) -> None:
    """Starting a pod changes its node: the agent has to have looked before."""
    run(api)
    for count in range(1, len(nodes.order) + 1):
        so_far = nodes.order[:count]
        assert so_far.count("companion") <= so_far.count("agent")
    made = [r.body for r in server.asked("POST", "/(pods|jobs)$")]
    labels = [b["metadata"]["labels"].get(manifest.ROLE) for b in made]
    assert labels.index("companion") > labels.index("agent")


def test_a_node_that_does_not_forward_is_left_alone(
    api: Api, server: FakeServer, nodes: Nodes
) -> None:
    """Starting a pod there would switch forwarding on; the others have theirs."""
    nodes.forward_not.add("n3")
    outcome = run(api)
    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    left_alone = items(outcome)["n3"]
    assert (left_alone.status, left_alone.trouble) == ("not-started", None)
    assert "ip_forward" in (left_alone.said or "")
    assert [c.node for c in nodes.news["n1"].peers] == ["n2"]
    made = [r.body["metadata"] for r in server.asked("POST", "/(pods|jobs)$")]
    n3 = [m["name"] for m in made if m["labels"].get(manifest.NODE) == manifest.node_hash("n3")]
    assert n3 == [manifest.agent_name("r1", "n3")]


def test_a_service_of_its_own(api: Api, server: FakeServer, nodes: Nodes) -> None:
    """Made once, owned by the anchor, told to every agent, and selecting companions only."""
    server.rules.append(
        lambda r: (
            Response(201, b'{"spec": {"clusterIP": "10.96.0.77"}}')
            if r.method == "POST" and r.path.endswith("/services")
            else None
        )
    )
    outcome = run(api, dataclasses.replace(OPTIONS, convergence=True))
    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    (made,) = (r.body for r in server.asked("POST", "/services$"))
    assert made["metadata"]["ownerReferences"][0]["name"] == "netdoctor-r1"
    assert made["spec"]["internalTrafficPolicy"] == "Local"
    assert made["spec"]["selector"] == {manifest.RUN: "r1", manifest.ROLE: "companion"}
    assert {news.service for news in nodes.news.values()} == {"10.96.0.77"}


def test_one_that_does_not_start(api: Api, server: FakeServer, nodes: Nodes) -> None:
    """The event's words are kept, the others are not held up, and its Pod is deleted by force."""
    nodes.fates["n3"] = {"phase": "Pending", "startTime": STARTED}
    name = companion_manifest.companion_name("r1", "n3")
    server.store.add(
        "events",
        {
            "metadata": {"name": "e1", "namespace": "netdoctor"},
            "involvedObject": {"kind": "Pod", "name": name},
            "type": "Warning",
            "reason": "FailedCreatePodSandBox",
            "message": SANDBOX,
        },
    )
    outcome = run(api)

    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    lost = items(outcome)["n3"]
    assert (lost.status, lost.trouble, lost.said) == (
        "not-started",
        "FailedCreatePodSandBox",
        SANDBOX,
    )
    assert nodes.news["n3"].own == ""
    assert [c.node for c in nodes.news["n1"].peers] == ["n2"]
    (forced,) = server.asked("DELETE", f"/pods/{name}$")
    assert forced.query["gracePeriodSeconds"] == "0"


def test_a_slow_one_is_not_waited_for(api: Api, nodes: Nodes) -> None:
    """Nobody says why: then nothing is claimed."""
    nodes.fates["n3"] = {"phase": "Pending", "startTime": STARTED}
    outcome = run(api)
    slow = items(outcome)["n3"]
    assert (slow.status, slow.trouble, slow.said) == ("not-started", None, None)


def test_the_api_refuses_all(api: Api, server: FakeServer, nodes: Nodes) -> None:
    """Pod Security or a quota: the host vantage goes on alone, and the reason is kept."""
    server.rules.append(
        lambda r: (
            status(403, "Forbidden", 'violates PodSecurity "restricted"')
            if r.method == "POST" and r.path.endswith("/pods")
            else None
        )
    )
    outcome = run(api)
    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    assert isinstance(outcome.companions, Missing)
    assert outcome.companions.reason is Reason.DENIED
    assert "violates PodSecurity" in outcome.companions.detail
    assert nodes.news["n1"] == CompanionNews("", ())


def test_none_are_asked_for(api: Api, server: FakeServer) -> None:
    """The plan says so to the agent, which does not wait."""

    def act(pod: Json) -> None:
        assert orders(pod).companions_within == 0
        done = [terminated(envelope.summarize(report_of("r1", orders(pod).node), ["resolver"]))]
        state = {"phase": "Succeeded", "startTime": STARTED, "containerStatuses": done}
        log = Response(200, envelope.frame(report_of("r1", orders(pod).node)).encode())
        server.logs[orders(pod).node] = lambda: log
        server.store.update("pods", {**pod, "status": state})

    server.store.kubelet = act
    outcome = run(api, dataclasses.replace(OPTIONS, companions=False))
    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    assert isinstance(outcome.companions, Missing)
    assert "--no-companion" in outcome.companions.detail


def test_who_may_not_patch_gets_none(api: Api, server: FakeServer) -> None:
    """Agents could not be told: preflight says so before anything is made."""
    server.rules.append(
        lambda r: (
            Response(201, b'{"status": {"allowed": false}}')
            if r.path.endswith("selfsubjectaccessreviews")
            and r.body["spec"]["resourceAttributes"]["verb"] == "patch"
            else None
        )
    )
    options = preflight(api, OPTIONS, "n1")
    assert not options.companions
    assert "may not patch pods" in options.no_companions


def test_the_companion_is_given_nothing() -> None:
    """No rights, no mounts, no token, and the run's label."""
    order = companion_manifest.Order(
        "r1", "ns", AgentImage("agent:1"), "00", 9.2, 60, manifest.Owner("netdoctor-r1", "uid")
    )
    pod = companion_manifest.companion_pod(order, "n1")
    job = companion_manifest.companion_job(order, "n1")
    spec: dict[str, Any] = pod["spec"]
    assert job["spec"]["template"]["spec"] == spec
    assert job["spec"]["template"]["metadata"]["labels"] == pod["metadata"]["labels"]
    assert not {"hostNetwork", "hostPID", "volumes"} & spec.keys()
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (spec["activeDeadlineSeconds"], spec["terminationGracePeriodSeconds"]) == (10, 1)
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["args"] == ["--respond", "r1"]
    assert len(pod["metadata"]["name"] + "-12345") <= 63


def test_the_example_is_current() -> None:
    """manifests/companion.yaml is what the code makes."""
    file = Path(__file__).resolve().parents[3] / "manifests" / "companion.yaml"
    assert file.read_text() == companion_manifest.example()
    assert yaml.safe_load(file.read_text())["metadata"]["labels"][manifest.ROLE] == "companion"
